# The prompt hook, the segment and the completion for fish 3.6 and later.
#
# The hook reads a file that Python has made ready and compares a few times: no process, no fork. The format of that
# file is told in readyline.py. `ccusage init fish | source` fills in the places between @.

set -g __ccusage_exe '@executable@'
set -g __ccusage_state '@state@'
set -g __ccusage_own_prompt '@prompt@'
set -g __ccusage_completion '@completion@'

set -g CCUSAGE_SEGMENT '' # for fish_prompt and fish_right_prompt: printf %s $CCUSAGE_SEGMENT
set -g CCUSAGE_TEXT '' # the same without colour
set -g __ccusage_scope # the environment that what follows was read for
set -g __ccusage_lines # the folder of the lines
set -g __ccusage_roots # the data directories
set -g __ccusage_pwd # the folder that the names are of
set -g __ccusage_names # under which a line may stand, nearest folder first
set -g __ccusage_row # what was read last
set -g __ccusage_asked # whether a refresher was started without a marker

function __ccusage_file --argument-names name --description 'a - for every UTF-16 unit but letters and digits'
    set name (string replace --regex --all '[\x{10000}-\x{10FFFF}]' -- -- "$name" | string collect)
    set name (string replace --regex --all '[^A-Za-z0-9]' - -- $name)
    string join -- / (string match --regex --all '.{200}(?=.)|.+' -- $name) # in pieces that file systems take
end

function __ccusage_enter --description 'the names of a new working directory'
    set -l typed $PWD
    set -l real (path resolve . | string collect) # sound even where an inherited PWD was decoded byte by byte
    set -g __ccusage_names
    while test -n "$typed$real"
        if test -n "$real" -a "$real" != /
            set -a __ccusage_names (__ccusage_file $real)
        end
        if test -n "$typed" -a "$typed" != / -a "$typed" != "$real"
            set -a __ccusage_names (__ccusage_file $typed)
        end
        set typed (string replace --regex '/[^/]*$' '' -- $typed | string collect)
        set real (string replace --regex '/[^/]*$' '' -- $real | string collect)
    end
    set -a __ccusage_names -
    set -g __ccusage_pwd $PWD
end

function __ccusage_find_scope --description 'where the lines of this environment are'
    set -l scope "$HOME:$CLAUDE_CONFIG_DIR:$XDG_CONFIG_HOME"
    test "$scope" != "$__ccusage_scope"; or return 0
    set -g __ccusage_scope
    set -l file $__ccusage_state/prompt/(__ccusage_file $scope).scope
    test -r $file; or return 1
    set -l row
    read --null --delimiter \n --list row <$file
    test "$row[1]" = 'ccusage-line 1'; or return 1
    test "$row[2]:$row[3]:$row[4]" = "$scope"; or return 1
    set -g __ccusage_lines $row[5]
    set -g __ccusage_roots $row[6..-2] # behind the last newline there is nothing
    set -g __ccusage_scope $scope
end

function __ccusage_find --description 'the line of the working directory; 1: it has to be made, empty: no project'
    test "$PWD" = "$__ccusage_pwd"; or __ccusage_enter
    set -g __ccusage_file
    for name in $__ccusage_names
        if test -r $__ccusage_lines/$name.line
            set -g __ccusage_file $__ccusage_lines/$name.line
            return 0
        end
        string match --quiet -- '*/*' $name; and return 1
        for root in $__ccusage_roots
            test -d $root/$name; and return 1
        end
    end
    return 0
end

function __ccusage_look --description 'set the segment; 1: it has to be made anew'
    set -g CCUSAGE_SEGMENT ''
    set -g CCUSAGE_TEXT ''
    __ccusage_find_scope; or return 1
    __ccusage_find; or return 1
    test -n "$__ccusage_file"; or return 0
    set -l row
    read --null --delimiter \n --list row <$__ccusage_file
    test "$row[1]" = 'ccusage-line 1' -a (count $row) -ge 14; or return 1
    set -g CCUSAGE_TEXT $row[7]
    set -g CCUSAGE_SEGMENT $row[8]
    if test -n "$NO_COLOR" -o "$TERM" = dumb
        set CCUSAGE_SEGMENT $CCUSAGE_TEXT
    end
    # no clock here but the age of a file
    set -l age (path mtime --relative $__ccusage_file)
    test -n "$age"; and test $age -ge $row[4] -a $age -lt $row[5]; or return 1
    for dependency in $row[15..-2]
        test $dependency -nt $__ccusage_file; and return 1
    end
    return 0
end

function __ccusage_may_start --description 'whether no refresher is at work: the marker of a killed one gets too old'
    set -l marker $__ccusage_state/prompt/refreshing
    if not test -d $__ccusage_state/prompt
        set -q __ccusage_asked[1]; and return 1
        set -g __ccusage_asked yes
        return 0
    end
    test -w $__ccusage_state/prompt; or return 1
    if test -e $marker
        set -l since
        read since <$marker
        set -l age (path mtime --relative $marker)
        test -n "$age"; and test $age -ge 0 -a $age -lt 20; and return 1
    end
    # noclobber would be loud where another shell is faster; of two refreshers one ends at once
    set -l now (math (path mtime $__ccusage_state/prompt) + (path mtime --relative $__ccusage_state/prompt))
    echo $now >$marker
end

function __ccusage_refresh --description 'start a refresher that is no job of this shell'
    test -x $__ccusage_exe; or return 0
    __ccusage_may_start; or return 0
    set -l redraw
    if status is-interactive; and test -n "$__ccusage_own_prompt"
        set redraw --redraw $fish_pid
    end
    set -lx CCUSAGE_STATE_DIR $__ccusage_state
    command sh -c '"$@" </dev/null >/dev/null 2>&1 &' sh $__ccusage_exe prompt --refresh --cwd $PWD $redraw
    set -g __ccusage_scope # it may tell other data directories
end

function __ccusage_hook --on-event fish_prompt
    set -l last $status
    __ccusage_look; or __ccusage_refresh
    return $last
end

if test -n "$__ccusage_own_prompt"; and status is-interactive
    # the refresher tells by this signal, which means that a window has changed, that there is something new
    function __ccusage_redraw --on-signal WINCH
        set -l last $status
        set -l before "$CCUSAGE_SEGMENT"
        __ccusage_look
        test "$CCUSAGE_SEGMENT" = "$before"; or commandline --function repaint
        return $last
    end

    if not functions --query fish_right_prompt
        function fish_right_prompt --description 'what the Claude Code session of this project costs'
            printf %s "$CCUSAGE_SEGMENT"
        end
    end
end

# --- completion, by the protocol of argcomplete: answers come on descriptor 8 -------------------------------------

function __ccusage_complete
    set -lx CCUSAGE_STATE_DIR $__ccusage_state
    set -lx COMP_LINE (commandline --current-process)
    set -lx COMP_POINT (string length -- (commandline --current-process --cut-at-cursor | string collect))
    set -lx COMP_TYPE
    set -lx _ARGCOMPLETE 1
    set -lx _ARGCOMPLETE_IFS \n
    set -lx _ARGCOMPLETE_DFS \t
    set -lx _ARGCOMPLETE_SHELL fish
    set -lx _ARGCOMPLETE_SUPPRESS_SPACE 1
    $__ccusage_exe 8>&1 9>/dev/null </dev/null >/dev/null 2>&1
end

if test -n "$__ccusage_completion"
    complete --command ccusage --no-files --keep-order --arguments '(__ccusage_complete)'
    complete --path $__ccusage_exe --no-files --keep-order --arguments '(__ccusage_complete)'
end
