# shellcheck shell=bash disable=SC2034 # CCUSAGE_TEXT is for the user's prompt
# The prompt hook, the segment and the completion for bash 4.4 and later. Bash 3.2 has no clock without a fork: there a
# line's age is counted by this shell's SECONDS, and completion shows no descriptions.
#
# The hook reads a file that Python has prepared and compares a few times; it starts no process and does not fork. The
# file's format is described in prompt/line.py. `eval "$(ccusage init bash)"` replaces the @...@.

__ccusage_exe='@executable@'
__ccusage_state='@state@'
__ccusage_own_prompt='@prompt@'
__ccusage_completion='@completion@'
export CCUSAGE_SHELL=bash       # tells `ccusage doctor` that this shell has the hook

CCUSAGE_SEGMENT=                # for PS1, in single quotes: PS1='$CCUSAGE_SEGMENT \$ '
CCUSAGE_TEXT=                   # the same without colours and marks, for other uses
__ccusage_scope=                # the environment for which the next three were read
__ccusage_lines=                # the folder with the lines
__ccusage_roots=()              # the data directories
__ccusage_links=()              # pairs: a link, and the data directory that it leads to
__ccusage_pwd=                  # the working directory of the names
__ccusage_names=()              # the possible names of its line, nearest folder first
__ccusage_row=()                # the rows of the file that was read last
__ccusage_sound=                # the numbers and texts that last passed the check
__ccusage_reply=                # the result of a function
__ccusage_put=                  # whether the segment was added to PS1
__ccusage_watch=yes             # until the first prompt: PS1 is to be examined after the other hooks
__ccusage_awaited=              # the function at whose return it is examined
__ccusage_traced=               # the same if it was given the trace attribute for that
__ccusage_guarded=              # whether the traps have been examined
# the entry for PROMPT_COMMAND; it expands to nothing in an inner shell, which may inherit that variable but no hook
# shellcheck disable=SC2016
__ccusage_entry='${__ccusage_exe+"__ccusage_hook"}'
__ccusage_before=('!' if elif while until 'then' else 'do' time) # words that are followed by a command
__ccusage_asked=-99             # SECONDS when a refresher was last started without a marker
__ccusage_first_seen=           # bash 3.2: the line, and SECONDS when it was first read

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

__ccusage_munge() { # TEXT: replace every UTF-16 unit except letters and digits by "-", in any locale
    local LC_ALL=C
    local text=$1
    text=${text//[$'\x80'-$'\xbf']/}
    text=${text//[$'\xf0'-$'\xff']/--}
    __ccusage_reply=${text//[!ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789]/-}
}

__ccusage_file() { # TEXT: its file name, split into pieces that are short enough for file systems
    __ccusage_munge "$1"
    local name=$__ccusage_reply
    __ccusage_reply=
    while ((${#name} > 200)); do
        __ccusage_reply+=${name:0:200}/
        name=${name:200}
    done
    __ccusage_reply+=$name
}

__ccusage_real() { # the working directory without links: bash can only print it, so it goes through a file
    local path=$PWD file=$__ccusage_state/prompt/pwd.$$
    __ccusage_reply=$PWD
    while [[ -n $path && ! -L $path ]]; do path=${path%/*}; done
    [[ -n $path && -O $__ccusage_state/prompt ]] || return 0
    { builtin pwd -P >|"$file" && IFS= read -r -d '' __ccusage_reply <"$file"; } 2>/dev/null || :
    __ccusage_reply=${__ccusage_reply%$'\n'}
    [[ -n $__ccusage_reply ]] || __ccusage_reply=$PWD
}

__ccusage_enter() { # find the names for a new working directory
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

__ccusage_find_scope() { # find the folder with the lines of this environment
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

__ccusage_moved() { # whether a link to a data directory has changed its target
    local place named
    for ((place = 0; place < ${#__ccusage_links[@]}; place += 2)); do
        named=${__ccusage_links[place]}
        [[ $named -ef ${__ccusage_links[place + 1]} || ! -e $named ]] || return 0
    done
    return 1
}

__ccusage_find() { # the line of the working directory, "" outside of projects; status 1: it has to be made
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

__ccusage_is_sound() { # check the digest: a forged number would be evaluated, a damaged one be shown
    [[ ${__ccusage_row[0]-} == 'ccusage-line 1' && ${#__ccusage_row[@]} -ge 14 ]] || return 1
    __ccusage_reply="${__ccusage_row[1]} ${__ccusage_row[2]} ${__ccusage_row[6]} ${__ccusage_row[8]} ${__ccusage_row[9]} ${__ccusage_row[13]}"
    [[ $__ccusage_reply != "$__ccusage_sound" ]] || return 0
    local LC_ALL=C IFS='' digits sum=0 # other locales make this ten times slower
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

__ccusage_holds() { # FILE: whether the line that was read from it still holds
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
    for path in "${__ccusage_row[@]:14}"; do # before bash 5 whole seconds are compared, so an equal time may be newer
        [[ $1 -nt $path ]] || return 1
    done
}

__ccusage_look() { # set the segment; status 1: the line has to be renewed
    local file IFS=$' \t\n' # if IFS has no space, bash 3.2 joins a slice of an array
    CCUSAGE_SEGMENT='' CCUSAGE_TEXT=''
    # a file of lines can't contain such names
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

__ccusage_may_start() { # whether no refresher is running; a marker older than 20 s is that of a killed one
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

__ccusage_refresh() { # start a refresher that is neither a job nor a child of this shell
    [[ -x $__ccusage_exe ]] || return 0
    __ccusage_may_start || return 0
    (CCUSAGE_STATE_DIR=$__ccusage_state "$__ccusage_exe" prompt --refresh --cwd "$PWD" </dev/null >/dev/null 2>&1 &)
    __ccusage_scope= # the refresher may change the scope file
}

__ccusage_hook() {
    local status=$?
    [[ -n $__ccusage_guarded || -n ${FUNCNAME[1]-} ]] || __ccusage_guard
    __ccusage_look || __ccusage_refresh || :
    __ccusage_show
    [[ $- != *e* ]] || return 0 # under set -e, returning the failure would end the shell
    return "$status"
}

__ccusage_show_last() { # runs last if something after the hook rebuilds PS1
    local status=$?
    [[ -n $__ccusage_guarded || -n ${FUNCNAME[1]-} ]] || __ccusage_guard
    __ccusage_put
    [[ $- != *e* ]] || return 0
    return "$status"
}

__ccusage_guard() { # make a DEBUG trap, which fires for each command of PROMPT_COMMAND, ignore ours
    [[ -z ${__bp_imported-}${bash_preexec_imported-} && -O $__ccusage_state/prompt ]] || return 0
    # without a fork, the traps can only be printed into a file
    { trap -p DEBUG RETURN >|"$__ccusage_state/prompt/pwd.$$"; } 2>/dev/null || return 0
    __ccusage_wrap_trap
    [[ -z $__ccusage_reply ]] || trap -- "$__ccusage_reply" DEBUG
}

__ccusage_wrap_trap() { # read the traps: reply with the new DEBUG trap, or ""
    local IFS=$'\n'
    __ccusage_guarded=yes __ccusage_reply=
    declare +t -f __ccusage_hook __ccusage_show_last
    __ccusage_read "$__ccusage_state/prompt/pwd.$$"
    eval "__ccusage_row=(${__ccusage_row[*]-})" # trap -- TEXT DEBUG trap -- TEXT RETURN
    [[ "${__ccusage_row[*]-}" != *RETURN ]] || __ccusage_watch=
    [[ ${__ccusage_row[3]-} == DEBUG && ${__ccusage_row[2]} != *__ccusage_* ]] || return 0
    # "case" preserves $? and $_; the trap must not fire in functions that only we have given the trace attribute
    # shellcheck disable=SC2016
    __ccusage_reply='case ${FUNCNAME[0]+${FUNCNAME[${#FUNCNAME[@]}-1]}}:$BASH_COMMAND in
__ccusage_* | ":\${__ccusage_exe+"* | "${__ccusage_traced:--}:"*) ;; *)
'${__ccusage_row[2]}$'\n;; esac'
}

__ccusage_show() { # add the segment to PS1; if it has disappeared, do so after all other hooks from now on
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
    # VS Code puts its marks around a changed PS1, so change the value without its marks
    [[ $rest != "${__vsc_custom_PS1-}" ]] || rest=${__vsc_original_PS1-$rest}
    # iTerm2 does so too, but it may have run before this
    if [[ $rest == "${ITERM_PREV_PS1-}" && $rest == *'\]'"${ITERM_ORIG_PS1-$rest}"'\['* ]]; then
        before=${rest%%'\]'"$ITERM_ORIG_PS1"'\['*}'\]'
        after=${rest#"$before$ITERM_ORIG_PS1"}
        rest=$ITERM_ORIG_PS1
    fi
    # expanded whenever the prompt is drawn; printf because an assignment to a read-only PS1 would end all hooks
    { printf -v PS1 %s "$before$segment$rest$after" && __ccusage_put=yes; } 2>/dev/null || return 0
    [[ -z $after ]] || ITERM_PREV_PS1=$PS1 ITERM_ORIG_PS1=$segment$rest
}

__ccusage_come_last() { # from the next prompt on, run after whatever rebuilds PS1
    # shellcheck disable=SC2016
    local entry='${__ccusage_exe+"__ccusage_show_last"}' place before all
    local hooks=${PROMPT_COMMAND[*]-}${__vsc_original_prompt_command[*]-}${precmd_functions[*]-}
    [[ $hooks != *__ccusage_show_last* ]] || return 0
    if [[ -n ${__bp_imported-}${bash_preexec_imported-} ]]; then
        declare +t -f __ccusage_show_last
        # PS1 may be built after precmd_functions, but commands after __bp_interactive_mode count as typed ones
        for place in "${!PROMPT_COMMAND[@]}"; do
            all=${PROMPT_COMMAND[place]} # bash 3.2 can't apply %% to a string with an index
            before=${all%%__bp_interactive_mode*}
            before=${before%%"${__bp_install_string:-__bp_install}"*} # at the first prompt, when bash-preexec is not ready
            [[ $before != "$all" ]] || continue
            all=$before$entry$'\n'${all#"$before"}
            # shellcheck disable=SC2178 # a string stays a string
            if ((place)); then PROMPT_COMMAND[place]=$all; else PROMPT_COMMAND=$all; fi
            return 0
        done
        precmd_functions+=(__ccusage_show_last)
    elif [[ ${PROMPT_COMMAND[*]-} =~ ^__vsc_prompt_cmd(_original)?$ ]]; then # unless others come after it
        __vsc_original_prompt_command+=$'\n'$entry
    elif [[ "${PROMPT_COMMAND[*]-}" != *"$__ccusage_entry" ]]; then
        __ccusage_append "$entry"
    fi
}

__ccusage_await() { # show again when the function that runs the hook, or the last one after it, returns
    local word words later=${PROMPT_COMMAND-}
    __ccusage_awaited=${FUNCNAME[3]-} # 0 to 2: this function, __ccusage_show and the hook
    if [[ -z $__ccusage_awaited ]]; then
        ! __ccusage_has_elements || later="${PROMPT_COMMAND[*]}"
        [[ $later == *"$__ccusage_entry"?* ]] || return 0
        if [[ -n $__ccusage_guarded ]]; then # otherwise an unknown trap would fire in that function
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
    # the trap removes itself, because a function can't remove a trap that it does not inherit
    trap '[[ -n $__ccusage_awaited && ${FUNCNAME-} != "$__ccusage_awaited" ]] || { trap - RETURN; __ccusage_returned; }' RETURN
}

__ccusage_returned() {
    [[ -z $__ccusage_traced ]] || declare +t -f "$__ccusage_traced"
    __ccusage_awaited='' __ccusage_traced=''
    __ccusage_show
}

__ccusage_has_elements() { # whether PROMPT_COMMAND is an array whose elements are all run (bash 5.1)
    [[ "${PROMPT_COMMAND[*]-}" != "${PROMPT_COMMAND-}" ]] &&
        ((BASH_VERSINFO[0] > 5 || (BASH_VERSINFO[0] == 5 && BASH_VERSINFO[1] >= 1)))
}

__ccusage_append() { # COMMAND: add it at the end of PROMPT_COMMAND
    if __ccusage_has_elements; then
        PROMPT_COMMAND+=("$1")
    else
        # a newline, because the present value may end in a comment, in ";" or in "&"
        # shellcheck disable=SC2178,SC2128 # only the first element of an array is run
        PROMPT_COMMAND=${PROMPT_COMMAND:+$PROMPT_COMMAND$'\n'}$1
    fi
}

__ccusage_install() { # where other hooks still see the user's $? and PIPESTATUS
    if [[ -n ${__bp_imported-}${bash_preexec_imported-} ]]; then
        precmd_functions+=(__ccusage_hook)
    elif [[ ${PROMPT_COMMAND-} == __vsc_prompt_cmd* ]]; then # VS Code's, which stores the earlier value so
        __vsc_original_prompt_command=${__vsc_original_prompt_command:+$__vsc_original_prompt_command$'\n'}$__ccusage_entry
        # shellcheck disable=SC2178
        PROMPT_COMMAND=__vsc_prompt_cmd_original
    elif __ccusage_has_elements; then # as the first, because VS Code, if it comes later, preserves only that one
        PROMPT_COMMAND=("$__ccusage_entry" "${PROMPT_COMMAND[@]}")
    else # at the end, when the others have set PS1
        __ccusage_append "$__ccusage_entry"
    fi
}

[[ ${PROMPT_COMMAND[*]-}${__vsc_original_prompt_command[*]-}${precmd_functions[*]-} == *__ccusage_hook* ]] ||
    __ccusage_install
declare -ft __ccusage_guard # only a traced function can see and set a DEBUG trap
__ccusage_guard
__ccusage_guarded= # the rest of the start-up file may set one
declare -ft __ccusage_hook __ccusage_show_last

# --- completion, by argcomplete's protocol: answers come on descriptor 8 -------------------------------------------

__ccusage_complete() {
    local answer separator='' newline=$'\n'
    COMPREPLY=()
    # 63: a list is shown and nothing is inserted, so candidates can have descriptions
    if [[ ${COMP_TYPE-} == 63 && ${BASH_VERSINFO[0]} -ge 4 ]]; then separator=$'\t'; fi
    while IFS= read -r answer || [[ -n $answer ]]; do
        case $answer in # let readline complete paths
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

__ccusage_complete_behind() { # complete the command after a word of bash's grammar, its option or an assignment
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
    for __ccusage_reply in "${__ccusage_before[@]}"; do # unless bash-completion has its own for it, now or later
        complete -p "$__ccusage_reply" >/dev/null 2>&1 ||
            complete -o bashdefault -o default -F __ccusage_complete_behind "$__ccusage_reply"
    done
fi
