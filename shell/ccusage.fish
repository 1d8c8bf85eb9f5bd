# The prompt hook, the segment and the completion for fish 3.6 and later.
#
# The hook reads a file that Python has prepared and compares a few times; it starts no process and does not fork. The
# file's format is described in prompt/line.py. `ccusage init fish | source` replaces the @...@.

set -g __ccusage_exe '@executable@'
set -g __ccusage_state '@state@'
set -g __ccusage_own_prompt '@prompt@'
set -g __ccusage_completion '@completion@'
set -gx CCUSAGE_SHELL fish # tells `ccusage doctor` that this shell has the hook

set -g CCUSAGE_SEGMENT '' # for fish_prompt and fish_right_prompt: printf %s $CCUSAGE_SEGMENT
set -g CCUSAGE_TEXT '' # the same without colours
set -g __ccusage_scope # the environment for which the next three were read
set -g __ccusage_lines # the folder with the lines
set -g __ccusage_roots # the data directories
set -g __ccusage_links # pairs: a link, and the data directory that it leads to
set -g __ccusage_pwd # the working directory of the names
set -g __ccusage_names # the possible names of its line, nearest folder first
set -g __ccusage_row # the rows of the file that was read last
set -g __ccusage_sound # the numbers and texts that last passed the check
set -g __ccusage_asked # whether a refresher was started without a marker

function __ccusage_file --argument-names name --description 'replace every UTF-16 unit except letters and digits by -'
    set name (string replace --regex --all '[\x{10000}-\x{10FFFF}]' -- -- "$name" | string collect)
    set name (string replace --regex --all '[^A-Za-z0-9]' - -- $name)
    string join -- / (string match --regex --all '.{200}(?=.)|.+' -- $name) # split for file systems
end

function __ccusage_enter --description 'find the names for a new working directory'
    set -l typed $PWD
    set -l real (path resolve . | string collect) # correct even if an inherited PWD was decoded byte by byte
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

function __ccusage_find_scope --description 'find the folder with the lines of this environment'
    set -l scope "$HOME:$CLAUDE_CONFIG_DIR:$XDG_CONFIG_HOME"
    test "$scope" = "$__ccusage_scope"; and not __ccusage_moved; and return 0
    set -g __ccusage_scope
    set -l file $__ccusage_state/prompt/(__ccusage_file $scope).scope
    test -O $__ccusage_state/prompt -a -O $file -a -f $file; or return 1
    set -l row
    read --null --delimiter \n --list row <$file
    test "$row[1]" = 'ccusage-line 1'; or return 1
    test "$row[2]:$row[3]:$row[4]" = "$scope"; or return 1
    test -O "$row[5]"; or return 1
    set -g __ccusage_lines $row[5]
    set -g __ccusage_roots
    set -g __ccusage_links
    for each in $row[6..-2] # the last element, after the final newline, is empty
        if string match --quiet '=*' -- $each
            set -a __ccusage_links (string sub --start 2 -- $each) $__ccusage_roots[-1]
        else
            set -a __ccusage_roots $each
        end
    end
    __ccusage_moved; and return 1
    set -g __ccusage_scope $scope
    return 0
end

function __ccusage_moved --description 'whether a link to a data directory has changed its target'
    set -q __ccusage_links[1]; or return 1
    set -l real
    for each in $__ccusage_links[-1..1] # each directory, then its link
        if test -z "$real"
            set real $each
            continue
        end
        test -e $each -a (path resolve -- $each) != $real; and return 0
        set real
    end
    return 1
end

function __ccusage_find --description 'find the line of this directory, empty outside of projects; 1: it has to be made'
    test "$PWD" = "$__ccusage_pwd"; or __ccusage_enter
    set -g __ccusage_file
    for name in $__ccusage_names
        if test -O $__ccusage_lines/$name.line -a -f $__ccusage_lines/$name.line
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

function __ccusage_is_sound --description 'ROW ...: check the digest'
    test "$argv[1]" = 'ccusage-line 1' -a (count $argv) -ge 14; or return 1
    set -l told "$argv[4] $argv[5] $argv[7] $argv[8] $argv[14]"
    test "$told" != "$__ccusage_sound"; or return 0
    string match --quiet --regex -- '^-?[0-9]+$' $argv[4]; and string match --quiet --regex -- '^[0-9]+$' $argv[5]; or return 1
    set -l digits (string replace --all . 77 -- "$argv[2..13]" | string replace --regex --all '[^0-9]' '' | string collect)
    set -l pieces '*1000000+'(string match --regex --all '.{1,6}' -- $digits)')%999999937'
    set -l sum (math (string repeat --count (count $pieces) '(')0(string join '' $pieces))
    test "$sum" = "$argv[14]"; or return 1
    set -g __ccusage_sound $told
end

function __ccusage_look --description 'set the segment; status 1: the line has to be renewed'
    set -g CCUSAGE_SEGMENT ''
    set -g CCUSAGE_TEXT ''
    # a file of lines can't contain such names
    string match --quiet --regex -- '\n' "$HOME$CLAUDE_CONFIG_DIR$XDG_CONFIG_HOME$__ccusage_state"; and return 0
    __ccusage_find_scope; or return 1
    __ccusage_find; or return 1
    test -n "$__ccusage_file"; or return 0
    set -l row
    read --null --delimiter \n --list row <$__ccusage_file
    __ccusage_is_sound $row; or return 1
    set -g CCUSAGE_TEXT $row[7]
    set -g CCUSAGE_SEGMENT $row[8]
    if test -n "$NO_COLOR" -o "$TERM" = dumb
        set CCUSAGE_SEGMENT $CCUSAGE_TEXT
    end
    # fish has no clock without a fork except the age of a file
    set -l age (path mtime --relative $__ccusage_file)
    test -n "$age"; and test $age -ge $row[4] -a $age -lt $row[5]; or return 1
    for dependency in $row[15..-2]
        test $dependency -nt $__ccusage_file; and return 1
    end
    return 0
end

function __ccusage_may_start --description 'whether no refresher is running; markers of killed ones get too old'
    set -l marker $__ccusage_state/prompt/refreshing
    if not test -d $__ccusage_state/prompt
        set -q __ccusage_asked[1]; and return 1
        set -g __ccusage_asked yes
        return 0
    end
    test -O $__ccusage_state/prompt -a -w $__ccusage_state/prompt; or return 1
    if test -e $marker -o -L $marker
        test -f $marker; or return 1
        set -l since
        read since <$marker
        set -l age (path mtime --relative $marker)
        test -n "$age"; and test $age -ge 0 -a $age -lt 20; and return 1
    end
    # noclobber would print an error if another shell is faster; if two refreshers start, one ends at once
    set -l now (math (path mtime $__ccusage_state/prompt) + (path mtime --relative $__ccusage_state/prompt))
    echo $now >$marker
end

function __ccusage_refresh --description 'start a refresher that is not a job of this shell'
    test -x $__ccusage_exe; or return 0
    __ccusage_may_start; or return 0
    set -l redraw
    if status is-interactive; and test -n "$__ccusage_own_prompt"
        set redraw --redraw $fish_pid
    end
    set -lx CCUSAGE_STATE_DIR $__ccusage_state
    command sh -c '"$@" </dev/null >/dev/null 2>&1 &' sh $__ccusage_exe prompt --refresh --cwd $PWD $redraw
    set -g __ccusage_scope # the refresher may change the scope file
end

function __ccusage_hook --on-event fish_prompt
    set -l last $status
    __ccusage_look; or __ccusage_refresh
    return $last
end

# direnv and similar tools change these after the hook
function __ccusage_other_account --on-variable CLAUDE_CONFIG_DIR --on-variable XDG_CONFIG_HOME --on-variable HOME
    status is-interactive; and __ccusage_hook
end

if test -n "$__ccusage_own_prompt"; and status is-interactive
    # the refresher sends this signal, which otherwise reports a new window size, when the line has changed
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

# --- completion, by argcomplete's protocol: answers come on descriptor 8 -------------------------------------------

function __ccusage_complete
    set -lx CCUSAGE_STATE_DIR $__ccusage_state
    # without words before the command: sudo, time, if
    set -lx COMP_LINE (commandline --current-process --cut-at-cursor | string collect |
        string replace --regex -- '^(?:\S+\s+)+?(?=(?:\S*/)?ccusage\s)' '' | string collect)
    set -lx COMP_POINT (string length -- "$COMP_LINE")
    set -lx COMP_TYPE
    set -lx _ARGCOMPLETE 1
    set -lx _ARGCOMPLETE_IFS \n
    set -lx _ARGCOMPLETE_DFS \t
    set -lx _ARGCOMPLETE_SHELL fish
    set -lx _ARGCOMPLETE_SUPPRESS_SPACE 1
    set -lx CCUSAGE_PATHS 1
    set -l answers ($__ccusage_exe 8>&1 9>/dev/null </dev/null >/dev/null 2>&1)
    switch "$answers[1]"
        case \tfile \tfolder # let fish complete paths
            set -l typed (commandline --current-token --cut-at-cursor)
            set -l option (string match --regex -- '^--[^=]*=' $typed)
            set -l value (string replace --regex -- '^--[^=]*=' '' $typed)
            set -l paths (complete --do-complete "'' $value")
            if test "$answers[1]" = \tfolder
                set paths (string match --regex -- '^[^\t]*/(?=\t|$)' $paths)
            end
            string join -- \n "$option"$paths
        case '*'
            printf '%s\n' $answers
    end
end

if test -n "$__ccusage_completion"
    complete --command ccusage --no-files --keep-order --arguments '(__ccusage_complete)'
end
