_reconciler_completion() {
    local IFS=$'\n' line
    COMPREPLY=()
    while IFS= read -r line; do
        case $line in
            plain,*) COMPREPLY+=("${line#plain,}") ;;
            file,*) compopt -o default 2>/dev/null ;;
            dir,*) compopt -o dirnames 2>/dev/null ;;
        esac
    done < <(env COMP_WORDS="${COMP_WORDS[*]:0:COMP_CWORD+1}" COMP_CWORD="$COMP_CWORD" \
        _RECONCILER_COMPLETE=bash_complete "${1/#\~\//$HOME/}" 2>/dev/null)
}
complete -o nosort -F _reconciler_completion reconciler 2>/dev/null || complete -F _reconciler_completion reconciler
