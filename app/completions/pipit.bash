# SPDX-License-Identifier: MIT
# Completion of pipit for bash. Commands, options and words come from --help, so that they are never out of date.

# What an argument of this kind may be.
_pipit_values()
{
    local program=$1 kind=$2 cur=$3
    case $kind in
    MODEL*) mapfile -t COMPREPLY < <(compgen -W "$("$program" models list 2>/dev/null | sed -n 's/^\([^ ]*\).*/\1/p')" -- "$cur"; compgen -f -- "$cur") ;;
    *FILE* | *DIR* | INPUT*) mapfile -t COMPREPLY < <(compgen -f -- "$cur") ;;
    *[a-z0-9]'|'*) mapfile -t COMPREPLY < <(compgen -W "${kind//|/ }" -- "$cur") ;;
    esac
}

_pipit()
{
    local program=$1 cur=$2 prev=$3 command=${COMP_WORDS[1]} help kind
    COMPREPLY=()
    compopt -o filenames 2>/dev/null
    if ((COMP_CWORD == 1)); then
        mapfile -t COMPREPLY < <(compgen -W "$("$program" --help | sed -n 's/^  \([a-z][a-z]*\)  .*/\1/p') --help --version" -- "$cur")
        return
    fi
    help=$("$program" "$command" --help 2>/dev/null) || return
    if [[ $cur == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$(sed -n 'h; s/^  \(-.\), --.*/\1/p; g; s/^  ....\(--[a-z-]*\).*/\1/p' <<<"$help") --help" -- "$cur")
        return
    fi
    kind=
    if [[ $prev == -* ]]; then
        kind=$(sed -n -e "s/^  ${prev}, --[a-z-]* \([^ []*\)  .*/\1/p" -e "s/^  ....${prev} \([^ []*\)  .*/\1/p" <<<"$help")
    elif [[ $prev == "$command" && $command == models ]]; then
        kind='list|fetch|verify'
    else
        kind=$(sed -n '1s/^usage: pipit [a-z]* .*\(MODEL|\|MODEL \|FILE\.\.\.\|NAME\.\.\.\).*/\1/p' <<<"$help")
        kind=${kind/NAME.../MODEL}
    fi
    _pipit_values "$program" "${kind:-FILE}" "$cur"
}
complete -F _pipit pipit
