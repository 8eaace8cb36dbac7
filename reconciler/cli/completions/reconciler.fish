function _reconciler_completion
    set -l program (commandline -opc)[1]
    string match --quiet --regex '(^|/)reconciler$' -- $program; or set program reconciler
    set -l response (env _RECONCILER_COMPLETE=fish_complete COMP_WORDS=(commandline -cp | string collect) \
        COMP_CWORD=(commandline -ct | string collect) $program 2>/dev/null)
    for line in $response
        set -l parts (string split --max 1 , -- $line)
        switch $parts[1]
            case plain
                echo $parts[2]
            case file dir
                set -l option (string match --regex -- '^--[^=]*=' $parts[2])
                set -l path (string replace --regex -- '^--[^=]*=' '' $parts[2])
                set -l paths
                if test $parts[1] = file
                    set paths (__fish_complete_path $path)
                else
                    set paths (__fish_complete_directories $path)
                end
                for each in $paths
                    echo "$option$each"
                end
        end
    end
end
complete --no-files --command reconciler --arguments '(_reconciler_completion)'
