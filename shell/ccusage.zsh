# The prompt hook, the segment and the completion for zsh 5.8 and later.
#
# The hook reads a file that Python has prepared and compares a few times; it starts no process and does not fork. The
# file's format is described in prompt/line.py. `eval "$(ccusage init zsh)"` replaces the @...@.

typeset -g __ccusage_exe='@executable@'
typeset -g __ccusage_state='@state@'
typeset -g __ccusage_own_prompt='@prompt@'
typeset -g __ccusage_completion='@completion@'
export CCUSAGE_SHELL=zsh               # tells `ccusage doctor` that this shell has the hook

typeset -g CCUSAGE_SEGMENT=''          # for PROMPT and RPROMPT: in a precmd function, or as '$CCUSAGE_SEGMENT'
typeset -g CCUSAGE_TEXT=''             # the same without colours and marks, for other uses
typeset -g __ccusage_scope=''          # the environment for which the next three were read
typeset -g __ccusage_lines=''          # the folder with the lines
typeset -ga __ccusage_roots=()         # the data directories
typeset -ga __ccusage_links=()         # pairs: a link, and the data directory that it leads to
typeset -g __ccusage_pwd=''            # the working directory of the names
typeset -ga __ccusage_names=()         # the possible names of its line, nearest folder first
typeset -ga __ccusage_row=()           # the rows of the file that was read last
typeset -g __ccusage_sound=''          # the numbers and texts that last passed the check
typeset -g __ccusage_reply=''          # the result of a function
typeset -g __ccusage_shown="${__ccusage_shown-}"  # the value of RPROMPT if it is ours
typeset -g __ccusage_wrapped="${__ccusage_wrapped-}"  # the part of RPROMPT that is ours if others have added to it
typeset -g __ccusage_asked=-99         # SECONDS when a refresher was last started without a marker

zmodload zsh/datetime

# The functions below run under the options that __ccusage_hook and __ccusage_done set.

__ccusage_file() { # TEXT: "-" for every UTF-16 unit except letters and digits, split for file systems
    setopt local_options no_multibyte
    local LC_ALL=C
    local name=$1
    name=${name//[$'\x80'-$'\xbf']/}
    name=${name//[$'\xf0'-$'\xff']/--}
    name=${name//[^A-Za-z0-9]/-}
    __ccusage_reply=''
    while (( ${#name} > 200 )); do
        __ccusage_reply+=${name[1,200]}/
        name=${name[201,-1]}
    done
    __ccusage_reply+=$name
}

__ccusage_read() { # FILE: read its rows
    __ccusage_row=()
    [[ -r $1 ]] || return 0
    { __ccusage_row=("${(@f)$(<$1)}") } 2>/dev/null
    return 0
}

__ccusage_enter() { # find the names for a new working directory
    local typed=$PWD real=${PWD:A}
    __ccusage_names=()
    while [[ -n $typed$real ]]; do
        if [[ -n $real && $real != / ]]; then
            __ccusage_file $real
            __ccusage_names+=($__ccusage_reply)
        fi
        if [[ -n $typed && $typed != / && $typed != $real ]]; then
            __ccusage_file $typed
            __ccusage_names+=($__ccusage_reply)
        fi
        typed=${typed%/*}
        real=${real%/*}
    done
    __ccusage_names+=(-)
    __ccusage_pwd=$PWD
}

__ccusage_find_scope() { # find the folder with the lines of this environment
    local row scope=${HOME-}:${CLAUDE_CONFIG_DIR-}:${XDG_CONFIG_HOME-}
    if [[ $scope == $__ccusage_scope ]] && ! __ccusage_moved; then return 0; fi
    __ccusage_scope=''
    __ccusage_file $scope
    __ccusage_reply=$__ccusage_state/prompt/$__ccusage_reply.scope
    [[ -O $__ccusage_state/prompt && -O $__ccusage_reply && -f $__ccusage_reply ]] || return 1
    __ccusage_read $__ccusage_reply
    [[ ${__ccusage_row[1]-} == 'ccusage-line 1' ]] || return 1
    [[ ${__ccusage_row[2]-}:${__ccusage_row[3]-}:${__ccusage_row[4]-} == $scope ]] || return 1
    [[ -O ${__ccusage_row[5]-} ]] || return 1
    __ccusage_lines=${__ccusage_row[5]-}
    __ccusage_roots=() __ccusage_links=()
    for row in "${(@)__ccusage_row[6,-1]}"; do
        if [[ $row == '='* ]]; then
            __ccusage_links+=("${row#=}" "$__ccusage_roots[-1]")
        else
            __ccusage_roots+=("$row")
        fi
    done
    ! __ccusage_moved || return 1
    __ccusage_scope=$scope
}

__ccusage_moved() { # whether a link to a data directory has changed its target
    local named real
    for named real in "${(@)__ccusage_links}"; do
        [[ $named -ef $real || ! -e $named ]] || return 0
    done
    return 1
}

__ccusage_find() { # the line of the working directory, "" outside of projects; status 1: it has to be made
    local name root
    [[ $PWD == $__ccusage_pwd ]] || __ccusage_enter
    __ccusage_reply=''
    for name in $__ccusage_names; do
        if [[ -O $__ccusage_lines/$name.line && -f $__ccusage_lines/$name.line ]]; then
            __ccusage_reply=$__ccusage_lines/$name.line
            return 0
        fi
        [[ $name != */* ]] || return 1
        for root in $__ccusage_roots; do
            [[ ! -d $root/$name ]] || return 1
        done
    done
}

__ccusage_is_sound() { # check the digest: a forged number would be evaluated, a damaged one be shown
    [[ ${__ccusage_row[1]-} == 'ccusage-line 1' && ${#__ccusage_row} -ge 14 ]] || return 1
    __ccusage_reply="$__ccusage_row[2] $__ccusage_row[3] $__ccusage_row[7] $__ccusage_row[11] $__ccusage_row[12] $__ccusage_row[14]"
    [[ $__ccusage_reply != $__ccusage_sound ]] || return 0
    local digits
    local -i sum=0
    [[ $__ccusage_row[2] == <-> && $__ccusage_row[3] == <-> ]] || return 1
    digits=${${(j::)__ccusage_row[2,13]}//./77}
    digits=${digits//[^0123456789]/}
    while [[ -n $digits ]]; do
        (( sum = (sum * 1000000 + 10#$digits[1,6]) % 999999937 )) || :
        digits=$digits[7,-1]
    done
    [[ $sum == $__ccusage_row[14] ]] || return 1
    __ccusage_sound=$__ccusage_reply
}

__ccusage_look() { # set the segment; status 1: the line has to be renewed
    local file='' dependency
    CCUSAGE_SEGMENT='' CCUSAGE_TEXT=''
    # a file of lines can't contain such names
    [[ ${HOME-}${CLAUDE_CONFIG_DIR-}${XDG_CONFIG_HOME-}$__ccusage_state != *$'\n'* ]] || return 0
    __ccusage_find_scope || return 1
    __ccusage_find || return 1
    file=$__ccusage_reply
    [[ -n $file ]] || return 0
    __ccusage_read $file
    __ccusage_is_sound || return 1
    CCUSAGE_TEXT=$__ccusage_row[7]
    CCUSAGE_SEGMENT=$__ccusage_row[12]
    [[ -z ${NO_COLOR-} && ${TERM-} != dumb ]] || CCUSAGE_SEGMENT=$__ccusage_row[11]
    (( __ccusage_row[2] <= EPOCHSECONDS && EPOCHSECONDS < __ccusage_row[3] )) || return 1
    for dependency in "${(@)__ccusage_row[15,-1]}"; do
        [[ ! $dependency -nt $file ]] || return 1
    done
}

__ccusage_may_start() { # whether no refresher is running; a marker older than 20 s is that of a killed one
    local marker=$__ccusage_state/prompt/refreshing since=''
    if [[ ! -d $__ccusage_state/prompt ]]; then
        (( SECONDS - __ccusage_asked >= 20 )) || return 1
        __ccusage_asked=${SECONDS%.*}
        return 0
    fi
    [[ -O $__ccusage_state/prompt ]] || return 1
    if [[ -e $marker ]]; then
        [[ -f $marker ]] || return 1
        { IFS='' read -r since <$marker } 2>/dev/null
        [[ $since == <-> ]] || since=0
        (( EPOCHSECONDS - since >= 20 || EPOCHSECONDS < since )) || return 1
        { print -r -- $EPOCHSECONDS >|$marker } 2>/dev/null
        return
    fi
    setopt local_options no_clobber
    { print -r -- $EPOCHSECONDS >$marker } 2>/dev/null
}

__ccusage_refresh() { # start a refresher that is not a job of this shell
    setopt local_options no_bg_nice no_monitor
    local descriptor
    [[ -x $__ccusage_exe ]] || return 0
    __ccusage_may_start || return 0
    __ccusage_scope='' # the refresher may change the scope file
    if [[ -z $__ccusage_own_prompt || ! -o zle ]]; then
        ( CCUSAGE_STATE_DIR=$__ccusage_state $__ccusage_exe prompt --refresh --cwd $PWD </dev/null >/dev/null 2>&1 & )
        return 0
    fi
    # when the refresher ends, its descriptor 3 is closed, and the prompt is redrawn
    exec {descriptor}< <(
        ( CCUSAGE_STATE_DIR=$__ccusage_state $__ccusage_exe prompt --refresh --cwd $PWD \
            3>&1 </dev/null >/dev/null 2>&1 & )
    )
    zle -N __ccusage_done
    zle -F -w $descriptor __ccusage_done
}

__ccusage_done() { # DESCRIPTOR: show the line that a refresher has written
    emulate -L zsh
    local descriptor=$1 before=$CCUSAGE_SEGMENT
    zle -F $descriptor
    exec {descriptor}<&-
    __ccusage_look
    [[ $CCUSAGE_SEGMENT != $before ]] || return 0
    __ccusage_show
    # an open list of completions would be erased, so the next prompt shows the line
    [[ $LASTWIDGET != *(complet|expand|menu|list)* && ${widgets[$LASTWIDGET]-} != completion:* ]] || return 0
    zle reset-prompt
}

__ccusage_show() { # set RPROMPT unless something else uses it; VS Code puts marks around our value
    [[ -n $__ccusage_own_prompt ]] || return 0
    if [[ -z ${RPROMPT-} || $RPROMPT == $__ccusage_shown ]]; then
        RPROMPT=$CCUSAGE_SEGMENT
        __ccusage_shown=$RPROMPT __ccusage_wrapped=$RPROMPT
    elif [[ -n $__ccusage_wrapped && $RPROMPT == *"$__ccusage_wrapped"* ]]; then
        local text=$CCUSAGE_SEGMENT
        [[ -n $text ]] || text='%{%}' # an empty text could not be found again
        RPROMPT=${RPROMPT/"$__ccusage_wrapped"/$text}
        __ccusage_wrapped=$text
    fi
}

__ccusage_hook() {
    local -i __ccusage_status=$?
    emulate -L zsh
    __ccusage_look || __ccusage_refresh
    __ccusage_show
    return $__ccusage_status
}

autoload -Uz add-zsh-hook
add-zsh-hook precmd __ccusage_hook

# --- completion, by argcomplete's protocol: answers come on descriptor 8 -------------------------------------------

__ccusage_complete() { # runs under the completion system's options; words holds this command's only
    local answer line="${(j: :)words[1,CURRENT-1]} $IPREFIX$QIPREFIX$PREFIX"
    local -a answers values paths shown
    # As for fish: candidates without quotes, which compadd adds. (An interactive zsh allows no comment inside $().)
    answers=("${(@f)$(
        export CCUSAGE_STATE_DIR=$__ccusage_state CCUSAGE_PATHS=1 COMP_LINE=$line COMP_POINT=${#line} COMP_TYPE=''
        export _ARGCOMPLETE=1 _ARGCOMPLETE_IFS=$'\n' _ARGCOMPLETE_DFS=$'\t'
        export _ARGCOMPLETE_SHELL=fish _ARGCOMPLETE_SUPPRESS_SPACE=1
        $__ccusage_exe 8>&1 9>/dev/null </dev/null >/dev/null 2>&1
    )}")
    case $answers[1] in
        ($'\tfile') [[ $PREFIX != -* ]] || compset -P '*='; _files; return ;;
        ($'\tfolder') [[ $PREFIX != -* ]] || compset -P '*='; _files -/; return ;;
    esac
    for answer in "${(@)answers:#}"; do
        values+=("${answer%%$'\t'*}")
        shown+=("${${answer%$'\t'}/$'\t'/  -- }")
    done
    paths=("${(@M)values:#\~/*}") # their tilde must not be quoted
    if (( ${#paths} )); then
        paths=("~/${(@q)^paths#\~/}")
        compadd -Q -V ccusage -- "${(@)paths}"
    elif (( ${#values} )); then
        compadd -l -V ccusage -M 'm:{[:lower:][:upper:]}={[:upper:][:lower:]}' -d shown -- "${(@)values}"
    fi
}

__ccusage_register() { # once compinit was called: before this file was read, or before the first prompt
    CCUSAGE_SHELL='zsh uncompleted'
    (( ! ${+functions[compdef]} )) || { compdef __ccusage_complete ccusage && CCUSAGE_SHELL=zsh }
}

__ccusage_register_late() {
    local -i __ccusage_status=$?
    add-zsh-hook -d precmd __ccusage_register_late
    __ccusage_register
    return $__ccusage_status
}

if [[ -n $__ccusage_completion ]]; then
    __ccusage_register
    (( ${+functions[compdef]} )) || add-zsh-hook precmd __ccusage_register_late
fi
