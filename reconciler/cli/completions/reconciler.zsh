#compdef reconciler

_reconciler_completion() {
    local -a plain described response
    local type key help
    response=("${(@f)$(env COMP_WORDS="${(F)words[1,CURRENT]}" COMP_CWORD=$((CURRENT-1)) \
        _RECONCILER_COMPLETE=zsh_complete "${${(Q)words[1]}/#\~\//$HOME/}" 2>/dev/null)}")
    [[ $PREFIX == --*=* ]] && compset -P 1 '*='
    for type key help in ${response}; do
        case $type in
            plain) if [[ $help == _ ]]; then plain+=("$key"); else described+=("$key:$help"); fi ;;
            file) _path_files -f ;;
            dir) _path_files -/ ;;
        esac
    done
    (( $#described )) && _describe -V unsorted described
    (( $#plain )) && compadd -V unsorted -a plain
}

(( $+functions[compdef] )) || { autoload -Uz compinit && compinit; }
compdef _reconciler_completion reconciler
[[ $zsh_eval_context[-1] != loadautofunc ]] || _reconciler_completion "$@"
