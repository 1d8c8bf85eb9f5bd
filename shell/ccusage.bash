# shellcheck shell=bash disable=SC2034 # CCUSAGE_TEXT is for others
# The prompt hook, the segment and the completion for bash 4.4 and later. In 3.2 a line's end by the clock is only known
# from this shell's own seconds, and completion shows no descriptions.
#
# The hook reads a file that Python has made ready and compares a few times: no process, no fork. The format of that
# file is told in readyline.py. `eval "$(ccusage init bash)"` fills in the places between @.

__ccusage_exe='@executable@'
__ccusage_state='@state@'
__ccusage_own_prompt='@prompt@'
__ccusage_completion='@completion@'

CCUSAGE_SEGMENT=                # for PS1, in single quotes: PS1='$CCUSAGE_SEGMENT \$ '
CCUSAGE_TEXT=                   # the same without colour and marks, for anything else
__ccusage_scope=                # the environment that what follows was read for
__ccusage_lines=                # the folder of the lines
__ccusage_roots=()              # the data directories
__ccusage_pwd=                  # the folder that the names are of
__ccusage_names=()              # under which a line may stand, nearest folder first
__ccusage_row=()                # what was read last
__ccusage_reply=                # what a function returns
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
    [[ -n $path && -d $__ccusage_state/prompt ]] || return 0
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
    local scope=${HOME-}:${CLAUDE_CONFIG_DIR-}:${XDG_CONFIG_HOME-}
    [[ $scope != "$__ccusage_scope" ]] || return 0
    __ccusage_scope=
    __ccusage_file "$scope"
    __ccusage_read "$__ccusage_state/prompt/$__ccusage_reply.scope"
    [[ ${__ccusage_row[0]-} == 'ccusage-line 1' ]] || return 1
    [[ ${__ccusage_row[1]-}:${__ccusage_row[2]-}:${__ccusage_row[3]-} == "$scope" ]] || return 1
    __ccusage_lines=${__ccusage_row[4]-}
    __ccusage_roots=("${__ccusage_row[@]:5}")
    __ccusage_scope=$scope
}

__ccusage_find() { # the line of the working directory; 1: there has to be one, nothing: outside of projects
    local name root
    [[ $PWD == "$__ccusage_pwd" ]] || __ccusage_enter
    __ccusage_reply=
    for name in "${__ccusage_names[@]}"; do
        if [[ -r $__ccusage_lines/$name.line ]]; then
            __ccusage_reply=$__ccusage_lines/$name.line
            return 0
        fi
        [[ $name != */* ]] || return 1
        for root in ${__ccusage_roots[@]+"${__ccusage_roots[@]}"}; do
            [[ ! -d $root/$name ]] || return 1
        done
    done
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
    local file
    CCUSAGE_SEGMENT='' CCUSAGE_TEXT=''
    __ccusage_find_scope || return 1
    __ccusage_find || return 1
    file=$__ccusage_reply
    [[ -n $file ]] || return 0
    __ccusage_read "$file"
    [[ ${__ccusage_row[0]-} == 'ccusage-line 1' && ${#__ccusage_row[@]} -ge 14 ]] || return 1
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
    __ccusage_now
    [[ -n $__ccusage_reply ]] || __ccusage_reply=$(date +%s)
    if [[ -e $marker ]]; then
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
    __ccusage_look || __ccusage_refresh || :
    # shellcheck disable=SC2016 # expanded whenever the prompt is drawn
    if [[ -n $__ccusage_own_prompt && ${PS1-} != *CCUSAGE_SEGMENT* ]] && shopt -q promptvars; then
        PS1='${CCUSAGE_SEGMENT:+$CCUSAGE_SEGMENT }'${PS1-}
    fi
    [[ $- != *e* ]] || return 0 # the failure has not ended the shell, so it must not now
    return "$status"
}

# Last of all hooks: the others see $? and PIPESTATUS as they were, and what they put into PS1 is there.
if [[ ${PROMPT_COMMAND[*]-} != *__ccusage_hook* ]]; then
    if [[ -n ${PROMPT_COMMAND[*]:1} ]] && ((BASH_VERSINFO[0] > 5 || (BASH_VERSINFO[0] == 5 && BASH_VERSINFO[1] >= 1))); then
        PROMPT_COMMAND+=(__ccusage_hook)
    else
        # a newline: whatever stands there may end in a comment, in ";" or in "&"
        # shellcheck disable=SC2178,SC2128 # the first element of an array is the one that is run
        PROMPT_COMMAND=${PROMPT_COMMAND:+$PROMPT_COMMAND$'\n'}__ccusage_hook
    fi
fi

# --- completion, by the protocol of argcomplete: answers come on descriptor 8 -------------------------------------

__ccusage_complete() {
    local answer separator='' newline=$'\n'
    COMPREPLY=()
    # 63: a list is shown and nothing inserted, so what describes a candidate can stand beside it
    if [[ ${COMP_TYPE-} == 63 && ${BASH_VERSINFO[0]} -ge 4 ]]; then separator=$'\t'; fi
    while IFS= read -r answer || [[ -n $answer ]]; do
        answer=${answer%$'\t'}
        COMPREPLY+=("${answer/$'\t'/  -- }")
    done < <(
        export CCUSAGE_STATE_DIR=$__ccusage_state COMP_LINE COMP_POINT COMP_TYPE _ARGCOMPLETE=1
        export _ARGCOMPLETE_IFS=$newline _ARGCOMPLETE_SHELL=bash _ARGCOMPLETE_SUPPRESS_SPACE=1
        export _ARGCOMPLETE_COMP_WORDBREAKS=${COMP_WORDBREAKS-}
        [[ -z $separator ]] || export _ARGCOMPLETE_DFS=$separator
        "$__ccusage_exe" 8>&1 9>/dev/null </dev/null >/dev/null 2>&1
    )
}

if [[ -n $__ccusage_completion ]]; then
    if ((BASH_VERSINFO[0] > 4 || (BASH_VERSINFO[0] == 4 && BASH_VERSINFO[1] >= 4))); then
        complete -o nosort -F __ccusage_complete ccusage "$__ccusage_exe"
    else
        complete -F __ccusage_complete ccusage "$__ccusage_exe"
    fi
fi
