# The prompt hook, the segment and the completion for zsh 5.8 and later.
#
# The hook reads a file that Python has made ready and compares a few times: no process, no fork. The format of that
# file is told in prompt/line.py. `eval "$(ccusage init zsh)"` fills in the places between @.

typeset -g __ccusage_exe='@executable@'
typeset -g __ccusage_state='@state@'
typeset -g __ccusage_own_prompt='@prompt@'
typeset -g __ccusage_completion='@completion@'
export CCUSAGE_SHELL=zsh               # for `ccusage doctor`: this shell has the hook

typeset -g CCUSAGE_SEGMENT=''          # for PROMPT and RPROMPT: taken in a precmd function, or '$CCUSAGE_SEGMENT'
typeset -g CCUSAGE_TEXT=''             # the same without colour and marks, for anything else
typeset -g __ccusage_scope=''          # the environment that what follows was read for
typeset -g __ccusage_lines=''          # the folder of the lines
typeset -ga __ccusage_roots=()         # the data directories
typeset -ga __ccusage_links=()         # names that lead to one by a link, each before it
typeset -g __ccusage_pwd=''            # the folder that the names are of
typeset -ga __ccusage_names=()         # under which a line may stand, nearest folder first
typeset -ga __ccusage_row=()           # what was read last
typeset -g __ccusage_sound=''          # the rows that were last found to be what was written
typeset -g __ccusage_reply=''          # what a function returns
typeset -g __ccusage_shown="${__ccusage_shown-}"  # what stands in RPROMPT, if it is ours
typeset -g __ccusage_wrapped="${__ccusage_wrapped-}"  # the same where others have put something around it
typeset -g __ccusage_asked=-99         # SECONDS at the last start of a refresher without a marker

zmodload zsh/datetime

# The functions below run under the options that __ccusage_hook and __ccusage_done set.

__ccusage_file() { # TEXT: a "-" for every UTF-16 unit but letters and digits, in pieces that file systems take
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

__ccusage_read() { # FILE: its lines
    __ccusage_row=()
    [[ -r $1 ]] || return 0
    { __ccusage_row=("${(@f)$(<$1)}") } 2>/dev/null
    return 0
}

__ccusage_enter() { # the names of a new working directory
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

__ccusage_find_scope() { # where the lines of this environment are
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

__ccusage_moved() { # whether a link that led to a data directory leads to another one now
    local named real
    for named real in "${(@)__ccusage_links}"; do
        [[ $named -ef $real || ! -e $named ]] || return 0
    done
    return 1
}

__ccusage_find() { # the line of the working directory; 1: there has to be one, nothing: outside of projects
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

__ccusage_is_sound() { # whether what was read is what was written: a forged number would be run, a damaged one be shown
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

__ccusage_look() { # set the segment; 1: it has to be made anew
    local file='' dependency
    CCUSAGE_SEGMENT='' CCUSAGE_TEXT=''
    # names that no file of lines can tell
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

__ccusage_may_start() { # whether no refresher is at work: the marker of one that was killed gets too old
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

__ccusage_refresh() { # start a refresher that is no job of this shell
    setopt local_options no_bg_nice no_monitor
    local descriptor
    [[ -x $__ccusage_exe ]] || return 0
    __ccusage_may_start || return 0
    __ccusage_scope='' # it may tell other data directories
    if [[ -z $__ccusage_own_prompt || ! -o zle ]]; then
        ( CCUSAGE_STATE_DIR=$__ccusage_state $__ccusage_exe prompt --refresh --cwd $PWD </dev/null >/dev/null 2>&1 & )
        return 0
    fi
    # its descriptor 3 is closed when it has ended: then the prompt is drawn again
    exec {descriptor}< <(
        ( CCUSAGE_STATE_DIR=$__ccusage_state $__ccusage_exe prompt --refresh --cwd $PWD \
            3>&1 </dev/null >/dev/null 2>&1 & )
    )
    zle -N __ccusage_done
    zle -F -w $descriptor __ccusage_done
}

__ccusage_done() { # DESCRIPTOR: show what a refresher has written
    emulate -L zsh
    local descriptor=$1 before=$CCUSAGE_SEGMENT
    zle -F $descriptor
    exec {descriptor}<&-
    __ccusage_look
    [[ $CCUSAGE_SEGMENT != $before ]] || return 0
    __ccusage_show
    # a list of completions may be open, and would be erased: the next prompt shows it
    [[ $LASTWIDGET != *(complet|expand|menu|list)* && ${widgets[$LASTWIDGET]-} != completion:* ]] || return 0
    zle reset-prompt
}

__ccusage_show() { # in RPROMPT, as long as nobody else uses that; VS Code puts marks around it
    [[ -n $__ccusage_own_prompt ]] || return 0
    if [[ -z ${RPROMPT-} || $RPROMPT == $__ccusage_shown ]]; then
        RPROMPT=$CCUSAGE_SEGMENT
        __ccusage_shown=$RPROMPT __ccusage_wrapped=$RPROMPT
    elif [[ -n $__ccusage_wrapped && $RPROMPT == *"$__ccusage_wrapped"* ]]; then
        local text=$CCUSAGE_SEGMENT
        [[ -n $text ]] || text='%{%}' # to be found again
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

# --- completion, by the protocol of argcomplete: answers come on descriptor 8 -------------------------------------

__ccusage_complete() { # under the options of the completion system, with the words of this command alone
    local answer line="${(j: :)words[1,CURRENT-1]} $IPREFIX$QIPREFIX$PREFIX"
    local -a answers values paths shown
    # fish: candidates come without quotes, which compadd adds. (Inside of $() an interactive zsh takes no comment.)
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
    paths=("${(@M)values:#\~/*}") # whose tilde is not to be quoted
    if (( ${#paths} )); then
        paths=("~/${(@q)^paths#\~/}")
        compadd -Q -V ccusage -- "${(@)paths}"
    elif (( ${#values} )); then
        compadd -l -V ccusage -M 'm:{[:lower:][:upper:]}={[:upper:][:lower:]}' -d shown -- "${(@)values}"
    fi
}

__ccusage_register() { # as soon as compinit has been called: before this file was read, or by the first prompt
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
