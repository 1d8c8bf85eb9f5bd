# shellcheck shell=bash disable=SC2034 # CCUSAGE_TEXT is for others
# The prompt hook, the segment and the completion for bash 4.4 and later. In 3.2 a line's end by the clock is only known
# from this shell's own seconds, and completion shows no descriptions.
#
# The hook reads a file that Python has made ready and compares a few times: no process, no fork. The format of that
# file is told in prompt/line.py. `eval "$(ccusage init bash)"` fills in the places between @.

__ccusage_exe='@executable@'
__ccusage_state='@state@'
__ccusage_own_prompt='@prompt@'
__ccusage_completion='@completion@'
export CCUSAGE_SHELL=bash       # for `ccusage doctor`: this shell has the hook

CCUSAGE_SEGMENT=                # for PS1, in single quotes: PS1='$CCUSAGE_SEGMENT \$ '
CCUSAGE_TEXT=                   # the same without colour and marks, for anything else
__ccusage_scope=                # the environment that what follows was read for
__ccusage_lines=                # the folder of the lines
__ccusage_roots=()              # the data directories
__ccusage_links=()              # names that lead to one by a link, each before it
__ccusage_pwd=                  # the folder that the names are of
__ccusage_names=()              # under which a line may stand, nearest folder first
__ccusage_row=()                # what was read last
__ccusage_sound=                # the rows that were last found to be what was written
__ccusage_reply=                # what a function returns
__ccusage_put=                  # whether the segment was put into PS1
__ccusage_watch=yes             # until what others make of PS1 has been seen once
__ccusage_awaited=              # the function at whose return it is seen
__ccusage_traced=               # the same if it had to be told to inherit the trap
__ccusage_guarded=              # whether traps have been looked for
# what PROMPT_COMMAND gets: nothing in an inner shell that has the variable from here, but not the function
# shellcheck disable=SC2016
__ccusage_entry='${__ccusage_exe+"__ccusage_hook"}'
__ccusage_before=('!' if elif while until 'then' else 'do' time) # behind which a command comes
__ccusage_asked=-99             # SECONDS at the last start of a refresher without a marker
__ccusage_first_seen=           # bash 3.2: the line, and SECONDS when it was first met

if ((BASH_VERSINFO[0] >= 4)); then
    __ccusage_read() { { mapfile -t __ccusage_row <"$1"; } 2>/dev/null || __ccusage_row=(); }
else
    __ccusage_read() {
        local row
        __ccusage_row=()
        [[ -r $1 ]] || return 0
        while IFS= read -r row; do __ccusage_row+=("$row"); done <"$1"
    }
fi

if ((BASH_VERSINFO[0] >= 5)); then
    __ccusage_now() { __ccusage_reply=$EPOCHSECONDS; }
elif ((BASH_VERSINFO[0] == 4 && BASH_VERSINFO[1] >= 2)); then
    __ccusage_now() { printf -v __ccusage_reply '%(%s)T' -1; }
else
    __ccusage_now() { __ccusage_reply=; }
fi

__ccusage_munge() { # TEXT: a "-" for every UTF-16 unit but letters and digits, whatever the locale
    local LC_ALL=C
    local text=$1
    text=${text//[$'\x80'-$'\xbf']/}
    text=${text//[$'\xf0'-$'\xff']/--}
    __ccusage_reply=${text//[!ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789]/-}
}

__ccusage_file() { # TEXT: the file name, in pieces that file systems take
    __ccusage_munge "$1"
    local name=$__ccusage_reply
    __ccusage_reply=
    while ((${#name} > 200)); do
        __ccusage_reply+=${name:0:200}/
        name=${name:200}
    done
    __ccusage_reply+=$name
}

__ccusage_real() { # the working directory without links; bash can only print it, so a file takes it
    local path=$PWD file=$__ccusage_state/prompt/pwd.$$
    __ccusage_reply=$PWD
    while [[ -n $path && ! -L $path ]]; do path=${path%/*}; done
    [[ -n $path && -O $__ccusage_state/prompt ]] || return 0
    { builtin pwd -P >|"$file" && IFS= read -r -d '' __ccusage_reply <"$file"; } 2>/dev/null || :
    __ccusage_reply=${__ccusage_reply%$'\n'}
    [[ -n $__ccusage_reply ]] || __ccusage_reply=$PWD
}

__ccusage_enter() { # the names of a new working directory
    local typed=$PWD real
    __ccusage_real
    real=$__ccusage_reply
    __ccusage_names=()
    while [[ -n $typed$real ]]; do
        if [[ -n $real ]]; then
            __ccusage_file "$real"
            __ccusage_names+=("$__ccusage_reply")
        fi
        if [[ -n $typed && $typed != "$real" ]]; then
            __ccusage_file "$typed"
            __ccusage_names+=("$__ccusage_reply")
        fi
        typed=${typed%/*}
        real=${real%/*}
    done
    __ccusage_names+=(-)
    __ccusage_pwd=$PWD
}

__ccusage_find_scope() { # where the lines of this environment are
    local row root='' scope=${HOME-}:${CLAUDE_CONFIG_DIR-}:${XDG_CONFIG_HOME-}
    if [[ $scope == "$__ccusage_scope" ]] && ! __ccusage_moved; then return 0; fi
    __ccusage_scope=
    __ccusage_file "$scope"
    __ccusage_reply=$__ccusage_state/prompt/$__ccusage_reply.scope
    [[ -O $__ccusage_state/prompt && -O $__ccusage_reply && -f $__ccusage_reply ]] || return 1
    __ccusage_read "$__ccusage_reply"
    [[ ${__ccusage_row[0]-} == 'ccusage-line 1' ]] || return 1
    [[ ${__ccusage_row[1]-}:${__ccusage_row[2]-}:${__ccusage_row[3]-} == "$scope" ]] || return 1
    [[ -O ${__ccusage_row[4]-} ]] || return 1
    __ccusage_lines=${__ccusage_row[4]-}
    __ccusage_roots=() __ccusage_links=()
    for row in "${__ccusage_row[@]:5}"; do
        if [[ $row == '='* ]]; then
            __ccusage_links+=("${row#=}" "$root")
        else
            root=$row
            __ccusage_roots+=("$row")
        fi
    done
    ! __ccusage_moved || return 1
    __ccusage_scope=$scope
}

__ccusage_moved() { # whether a link that led to a data directory leads to another one now
    local place named
    for ((place = 0; place < ${#__ccusage_links[@]}; place += 2)); do
        named=${__ccusage_links[place]}
        [[ $named -ef ${__ccusage_links[place + 1]} || ! -e $named ]] || return 0
    done
    return 1
}

__ccusage_find() { # the line of the working directory; 1: there has to be one, nothing: outside of projects
    local name root
    [[ $PWD == "$__ccusage_pwd" ]] || __ccusage_enter
    __ccusage_reply=
    for name in "${__ccusage_names[@]}"; do
        if [[ -O $__ccusage_lines/$name.line && -f $__ccusage_lines/$name.line ]]; then
            __ccusage_reply=$__ccusage_lines/$name.line
            return 0
        fi
        [[ $name != */* ]] || return 1
        for root in ${__ccusage_roots[@]+"${__ccusage_roots[@]}"}; do
            [[ ! -d $root/$name ]] || return 1
        done
    done
}

__ccusage_is_sound() { # whether what was read is what was written: a forged number would be run, a damaged one be shown
    [[ ${__ccusage_row[0]-} == 'ccusage-line 1' && ${#__ccusage_row[@]} -ge 14 ]] || return 1
    __ccusage_reply="${__ccusage_row[1]} ${__ccusage_row[2]} ${__ccusage_row[6]} ${__ccusage_row[8]} ${__ccusage_row[9]} ${__ccusage_row[13]}"
    [[ $__ccusage_reply != "$__ccusage_sound" ]] || return 0
    local LC_ALL=C IFS='' digits sum=0 # in another locale what follows takes ten times as long
    [[ -n ${__ccusage_row[1]} && -n ${__ccusage_row[2]} ]] || return 1
    [[ ${__ccusage_row[1]}${__ccusage_row[2]} != *[!0123456789]* ]] || return 1
    digits=${__ccusage_row[*]:1:12}
    digits=${digits//./77}
    digits=${digits//[!0123456789]/}
    while [[ -n $digits ]]; do
        sum=$(((sum * 1000000 + 10#${digits:0:6}) % 999999937))
        digits=${digits:6}
    done
    [[ $sum == "${__ccusage_row[13]}" ]] || return 1
    __ccusage_sound=$__ccusage_reply
}

__ccusage_holds() { # FILE: whether what was read of it is still true
    local path
    __ccusage_now
    if [[ -n $__ccusage_reply ]]; then
        ((__ccusage_row[1] <= __ccusage_reply && __ccusage_reply < __ccusage_row[2])) || return 1
    else
        [[ $__ccusage_first_seen == "$1 ${__ccusage_row[1]}:"* ]] ||
            __ccusage_first_seen="$1 ${__ccusage_row[1]}:$SECONDS"
        ((SECONDS - ${__ccusage_first_seen##*:} < __ccusage_row[2] - __ccusage_row[1])) || return 1
    fi
    for path in "${__ccusage_row[@]:14}"; do
        [[ ! $path -nt $1 ]] || return 1
    done
    ((BASH_VERSINFO[0] < 5)) || return 0
    for path in "${__ccusage_row[@]:14}"; do # old versions compare whole seconds: what is not older may be newer
        [[ $1 -nt $path ]] || return 1
    done
}

__ccusage_look() { # set the segment; 1: it has to be made anew
    local file IFS=$' \t\n' # without a space in it bash 3.2 makes one word of a part of an array
    CCUSAGE_SEGMENT='' CCUSAGE_TEXT=''
    # names that no file of lines can tell
    [[ ${HOME-}${CLAUDE_CONFIG_DIR-}${XDG_CONFIG_HOME-}$__ccusage_state != *$'\n'* ]] || return 0
    __ccusage_find_scope || return 1
    __ccusage_find || return 1
    file=$__ccusage_reply
    [[ -n $file ]] || return 0
    __ccusage_read "$file"
    __ccusage_is_sound || return 1
    CCUSAGE_TEXT=${__ccusage_row[6]}
    CCUSAGE_SEGMENT=${__ccusage_row[9]}
    if [[ -n ${NO_COLOR-} || ${TERM-} == dumb ]]; then CCUSAGE_SEGMENT=${__ccusage_row[8]}; fi
    __ccusage_holds "$file"
}

__ccusage_may_start() { # whether no refresher is at work: the marker of one that was killed gets too old
    local marker=$__ccusage_state/prompt/refreshing noclobber=off since=
    if [[ ! -d $__ccusage_state/prompt ]]; then
        ((SECONDS - __ccusage_asked >= 20)) || return 1
        __ccusage_asked=$SECONDS
        return 0
    fi
    [[ -O $__ccusage_state/prompt ]] || return 1
    __ccusage_now
    [[ -n $__ccusage_reply ]] || __ccusage_reply=$(date +%s)
    if [[ -e $marker ]]; then
        [[ -f $marker ]] || return 1
        { IFS= read -r since <"$marker"; } 2>/dev/null || :
        case $since in '' | *[!0-9]*) since=0 ;; esac
        ((__ccusage_reply - since >= 20 || __ccusage_reply < since)) || return 1
        { printf '%s\n' "$__ccusage_reply" >|"$marker"; } 2>/dev/null
        return
    fi
    [[ ! -o noclobber ]] || noclobber=on
    set -o noclobber
    { printf '%s\n' "$__ccusage_reply" >"$marker"; } 2>/dev/null || since=taken
    [[ $noclobber == on ]] || set +o noclobber
    [[ -z $since ]]
}

__ccusage_refresh() { # start a refresher that is no job and no child of this shell
    [[ -x $__ccusage_exe ]] || return 0
    __ccusage_may_start || return 0
    (CCUSAGE_STATE_DIR=$__ccusage_state "$__ccusage_exe" prompt --refresh --cwd "$PWD" </dev/null >/dev/null 2>&1 &)
    __ccusage_scope= # it may tell other data directories
}

__ccusage_hook() {
    local status=$?
    [[ -n $__ccusage_guarded || -n ${FUNCNAME[1]-} ]] || __ccusage_guard
    __ccusage_look || __ccusage_refresh || :
    __ccusage_show
    [[ $- != *e* ]] || return 0 # the failure has not ended the shell, so it must not now
    return "$status"
}

__ccusage_show_last() { # where something behind the hook builds PS1 anew
    local status=$?
    [[ -n $__ccusage_guarded || -n ${FUNCNAME[1]-} ]] || __ccusage_guard
    __ccusage_put
    [[ $- != *e* ]] || return 0
    return "$status"
}

__ccusage_guard() { # have a DEBUG trap, which fires for each command of PROMPT_COMMAND, take no notice of ours
    [[ -z ${__bp_imported-}${bash_preexec_imported-} && -O $__ccusage_state/prompt ]] || return 0
    # the traps can't be asked for without a fork but into a file
    { trap -p DEBUG RETURN >|"$__ccusage_state/prompt/pwd.$$"; } 2>/dev/null || return 0
    __ccusage_wrap_trap
    [[ -z $__ccusage_reply ]] || trap -- "$__ccusage_reply" DEBUG
}

__ccusage_wrap_trap() { # what of the traps was written: the DEBUG trap as it shall be, or nothing
    local IFS=$'\n'
    __ccusage_guarded=yes __ccusage_reply=
    declare +t -f __ccusage_hook __ccusage_show_last
    __ccusage_read "$__ccusage_state/prompt/pwd.$$"
    eval "__ccusage_row=(${__ccusage_row[*]-})" # trap -- TEXT DEBUG trap -- TEXT RETURN
    [[ "${__ccusage_row[*]-}" != *RETURN ]] || __ccusage_watch=
    [[ ${__ccusage_row[3]-} == DEBUG && ${__ccusage_row[2]} != *__ccusage_* ]] || return 0
    # "case" leaves $? and $_ as they were; without us the trap would not fire inside of what is traced
    # shellcheck disable=SC2016
    __ccusage_reply='case ${FUNCNAME[0]+${FUNCNAME[${#FUNCNAME[@]}-1]}}:$BASH_COMMAND in
__ccusage_* | ":\${__ccusage_exe+"* | "${__ccusage_traced:--}:"*) ;; *)
'${__ccusage_row[2]}$'\n;; esac'
}

__ccusage_show() { # in PS1, and at the end of all hooks too if what was put there is gone
    [[ -n $__ccusage_own_prompt && ${PS1-} != *CCUSAGE_SEGMENT* ]] || return 0
    [[ -z $__ccusage_put ]] || __ccusage_come_last
    __ccusage_put
    [[ -z $__ccusage_watch || -z $__ccusage_put ]] || __ccusage_await
    __ccusage_watch=
}

__ccusage_put() {
    # shellcheck disable=SC2016
    local rest=${PS1-} before='' after='' segment='${CCUSAGE_SEGMENT:+$CCUSAGE_SEGMENT }'
    [[ $rest != *CCUSAGE_SEGMENT* ]] && shopt -q promptvars || return 0
    # VS Code puts its marks around what is not as it left it: not around its own ones
    [[ $rest != "${__vsc_custom_PS1-}" ]] || rest=${__vsc_original_PS1-$rest}
    # iTerm2 does so too, but it may have had its turn
    if [[ $rest == "${ITERM_PREV_PS1-}" && $rest == *'\]'"${ITERM_ORIG_PS1-$rest}"'\['* ]]; then
        before=${rest%%'\]'"$ITERM_ORIG_PS1"'\['*}'\]'
        after=${rest#"$before$ITERM_ORIG_PS1"}
        rest=$ITERM_ORIG_PS1
    fi
    # expanded whenever the prompt is drawn; an assignment to a read-only PS1 would end all hooks
    { printf -v PS1 %s "$before$segment$rest$after" && __ccusage_put=yes; } 2>/dev/null || return 0
    [[ -z $after ]] || ITERM_PREV_PS1=$PS1 ITERM_ORIG_PS1=$segment$rest
}

__ccusage_come_last() { # from the next prompt on, after whatever builds PS1 anew
    # shellcheck disable=SC2016
    local entry='${__ccusage_exe+"__ccusage_show_last"}' place before all
    local hooks=${PROMPT_COMMAND[*]-}${__vsc_original_prompt_command[*]-}${precmd_functions[*]-}
    [[ $hooks != *__ccusage_show_last* ]] || return 0
    if [[ -n ${__bp_imported-}${bash_preexec_imported-} ]]; then
        declare +t -f __ccusage_show_last
        # PS1 may be built after precmd_functions, but what comes behind this counts as typed
        for place in "${!PROMPT_COMMAND[@]}"; do
            all=${PROMPT_COMMAND[place]} # bash 3.2 takes no parts of a string by an index
            before=${all%%__bp_interactive_mode*}
            before=${before%%"${__bp_install_string:-__bp_install}"*} # at the first prompt
            [[ $before != "$all" ]] || continue
            all=$before$entry$'\n'${all#"$before"}
            # shellcheck disable=SC2178 # a string stays one
            if ((place)); then PROMPT_COMMAND[place]=$all; else PROMPT_COMMAND=$all; fi
            return 0
        done
        precmd_functions+=(__ccusage_show_last)
    elif [[ ${PROMPT_COMMAND[*]-} =~ ^__vsc_prompt_cmd(_original)?$ ]]; then # else others come after it
        __vsc_original_prompt_command+=$'\n'$entry
    elif [[ "${PROMPT_COMMAND[*]-}" != *"$__ccusage_entry" ]]; then
        __ccusage_append "$entry"
    fi
}

__ccusage_await() { # at the first prompt, when the function that runs the hook, or the last one after it, returns
    local word words later=${PROMPT_COMMAND-}
    __ccusage_awaited=${FUNCNAME[3]-} # after this function, __ccusage_show and the hook
    if [[ -z $__ccusage_awaited ]]; then
        ! __ccusage_has_elements || later="${PROMPT_COMMAND[*]}"
        [[ $later == *"$__ccusage_entry"?* ]] || return 0
        if [[ -n $__ccusage_guarded ]]; then # or a trap that is not known would fire in there
            IFS=$' \t\n;&|' read -r -d '' -a words <<<"${later#*"$__ccusage_entry"}" || :
            for word in ${words[@]+"${words[@]}"}; do
                ! declare -F -- "$word" >/dev/null 2>&1 || __ccusage_awaited=$word
            done
        fi
        if [[ -z $__ccusage_awaited ]]; then
            __ccusage_come_last
            return 0
        fi
        __ccusage_traced=$__ccusage_awaited
        declare -ft "$__ccusage_traced" # so that it inherits the trap
    fi
    # in the trap itself, because a function can't take away a trap that it does not inherit
    trap '[[ -n $__ccusage_awaited && ${FUNCNAME-} != "$__ccusage_awaited" ]] || { trap - RETURN; __ccusage_returned; }' RETURN
}

__ccusage_returned() {
    [[ -z $__ccusage_traced ]] || declare +t -f "$__ccusage_traced"
    __ccusage_awaited='' __ccusage_traced=''
    __ccusage_show
}

__ccusage_has_elements() { # whether PROMPT_COMMAND is an array of which all is run
    [[ "${PROMPT_COMMAND[*]-}" != "${PROMPT_COMMAND-}" ]] &&
        ((BASH_VERSINFO[0] > 5 || (BASH_VERSINFO[0] == 5 && BASH_VERSINFO[1] >= 1)))
}

__ccusage_append() { # COMMAND: the last one in PROMPT_COMMAND
    if __ccusage_has_elements; then
        PROMPT_COMMAND+=("$1")
    else
        # a newline: whatever stands there may end in a comment, in ";" or in "&"
        # shellcheck disable=SC2178,SC2128 # the first element of an array is the one that is run
        PROMPT_COMMAND=${PROMPT_COMMAND:+$PROMPT_COMMAND$'\n'}$1
    fi
}

__ccusage_install() { # where the others see $? and PIPESTATUS as they were
    if [[ -n ${__bp_imported-}${bash_preexec_imported-} ]]; then
        precmd_functions+=(__ccusage_hook)
    elif [[ ${PROMPT_COMMAND-} == __vsc_prompt_cmd* ]]; then # of VS Code, which keeps what was there before it so
        __vsc_original_prompt_command=${__vsc_original_prompt_command:+$__vsc_original_prompt_command$'\n'}$__ccusage_entry
        # shellcheck disable=SC2178
        PROMPT_COMMAND=__vsc_prompt_cmd_original
    elif __ccusage_has_elements; then # the first: VS Code, which may come later, keeps that one alone
        PROMPT_COMMAND=("$__ccusage_entry" "${PROMPT_COMMAND[@]}")
    else # at the end: what the others put into PS1 is there
        __ccusage_append "$__ccusage_entry"
    fi
}

[[ ${PROMPT_COMMAND[*]-}${__vsc_original_prompt_command[*]-}${precmd_functions[*]-} == *__ccusage_hook* ]] ||
    __ccusage_install
declare -ft __ccusage_guard # other functions neither see nor set a DEBUG trap
__ccusage_guard
__ccusage_guarded= # what comes later in the start-up file may set one
declare -ft __ccusage_hook __ccusage_show_last

# --- completion, by the protocol of argcomplete: answers come on descriptor 8 -------------------------------------

__ccusage_complete() {
    local answer separator='' newline=$'\n'
    COMPREPLY=()
    # 63: a list is shown and nothing inserted, so what describes a candidate can stand beside it
    if [[ ${COMP_TYPE-} == 63 && ${BASH_VERSINFO[0]} -ge 4 ]]; then separator=$'\t'; fi
    while IFS= read -r answer || [[ -n $answer ]]; do
        case $answer in # readline completes paths itself
            $'\tfile') compopt -o default ;;
            $'\tfolder') compopt -o dirnames -o filenames ;;
        esac
        [[ $answer != $'\t'* ]] || continue
        answer=${answer%$'\t'}
        COMPREPLY+=("${answer/$'\t'/  -- }")
    done < <(
        export CCUSAGE_STATE_DIR=$__ccusage_state COMP_LINE COMP_POINT COMP_TYPE _ARGCOMPLETE=1
        export _ARGCOMPLETE_IFS=$newline _ARGCOMPLETE_SHELL=bash _ARGCOMPLETE_SUPPRESS_SPACE=1
        export _ARGCOMPLETE_COMP_WORDBREAKS=${COMP_WORDBREAKS-}
        ((BASH_VERSINFO[0] < 4)) || export CCUSAGE_PATHS=1
        [[ -z $separator ]] || export _ARGCOMPLETE_DFS=$separator
        "$__ccusage_exe" 8>&1 9>/dev/null </dev/null >/dev/null 2>&1
    )
}

__ccusage_complete_behind() { # a word of bash's grammar, or what comes with it, is no command: that comes behind
    local IFS=' ' line=$COMP_LINE word COMP_LINE=$COMP_LINE COMP_POINT=$COMP_POINT
    COMPREPLY=()
    while
        word=${COMP_LINE%%[[:blank:]]*}
        [[ " ${__ccusage_before[*]} -p " == *" $word "* || $word == [[:alpha:]_]*=* ]]
    do
        COMP_LINE=${COMP_LINE#"$word"}
        COMP_LINE=${COMP_LINE#"${COMP_LINE%%[![:blank:]]*}"}
    done
    COMP_POINT=$((COMP_POINT - ${#line} + ${#COMP_LINE}))
    [[ ${word##*/} != ccusage ]] || __ccusage_complete
}

if [[ -n $__ccusage_completion ]]; then
    if ((BASH_VERSINFO[0] > 4 || (BASH_VERSINFO[0] == 4 && BASH_VERSINFO[1] >= 4))); then
        complete -o nosort -F __ccusage_complete ccusage
    else
        complete -F __ccusage_complete ccusage
    fi
    for __ccusage_reply in "${__ccusage_before[@]}"; do # for some of them bash-completion has its own, sourced before or after this
        complete -p "$__ccusage_reply" >/dev/null 2>&1 ||
            complete -o bashdefault -o default -F __ccusage_complete_behind "$__ccusage_reply"
    done
fi
