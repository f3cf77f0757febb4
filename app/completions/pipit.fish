# SPDX-License-Identifier: MIT
# Completion of pipit for fish. Commands, options and words come from --help, so that they are never out of date.

function __pipit_models
    pipit models list 2>/dev/null | string match -r '^[^ ]+'
end

# Candidates, a line each, a tab before what they mean.
function __pipit_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    if test (count $words) -lt 2
        pipit --help | string replace -rf '^  ([a-z]+)  +(.*)' '$1\t$2'
        printf '%s\n' --help --version
        return
    end
    set -l help (pipit $words[2] --help 2>/dev/null)
    if string match -q -- '-*' $current
        printf '%s\n' $help | string replace -rf '^  (?:-.,|   ) --([a-z-]+)(?: \S+)?  +(.*)' -- '--$1\t$2'
        printf '%s\n' $help | string replace -rf '^  (-.), --\S+(?: \S+)?  +(.*)' '$1\t$2'
        echo --help
        return
    end
    set -l kind
    if string match -q -- '-*' $words[-1]
        set kind (printf '%s\n' $help | string replace -rf -- "^  (?:$words[-1], --\S+|.* $words[-1]) ([^ []\S*)  .*" '$1')
    else if test "$words[2]" = models
        test (count $words) -gt 2; and set kind MODEL; or set kind 'list|fetch|verify'
    else if contains $words[2] infer info bench; or test "$words[2]" = quantize -a (count $words) -eq 2
        set kind MODEL
    end
    switch "$kind"
        case 'MODEL*'
            __pipit_models
            __fish_complete_path $current
        case '*FILE*' '*DIR*' ''
            __fish_complete_path $current
        case '*|*'
            string split '|' $kind
    end
end

complete -c pipit -f -a '(__pipit_complete)'
