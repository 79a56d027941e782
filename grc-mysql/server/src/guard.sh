# The guard of a private server. It makes a directory in the folder that it is given, runs in it what it is told to,
# and when its input ends, which it does with the process that holds the other end however that ends, it kills what
# runs and removes the directory.
#
# An order is a line, its answer another. One process runs at a time. It is this shell's child, and stays a zombie until
# it is waited for: its number cannot have become another process's.

# Who started us may be gone when we answer. And when it goes while the server is frozen, the system sends all of our
# process group a SIGHUP, because nobody is left who could thaw it.
trap '' PIPE HUP

directory=$(mktemp -d "$1/private-server-XXXXXX")
printf '%s\n' "$directory"
[ -n "$directory" ] || exit 1

process=
set --
while IFS= read -r order; do
    case $order in
    'argument '*)
        set -- "$@" "${order#argument }"
        ;;
    run)
        "$@" <"$directory/input" >>"$directory/log" 2>&1 &
        process=$!
        set --
        printf '%s\n' "$process"
        ;;
    'signal '*)
        kill -s "${order#signal }" "$process"
        printf '%s\n' "$?"
        ;;
    wait)
        wait "$process"
        printf '%s\n' "$?"
        process=
        ;;
    esac
done

if [ -n "$process" ]; then
    kill -s KILL "$process"
    wait "$process"
fi
# What it has started itself, such as the scripts that carry the state of a cluster's node, is of our process group.
trap '' TERM
kill -s TERM 0
# Once more, if somebody wrote into it while it was being removed.
rm -rf "$directory" || { sleep 1; rm -rf "$directory"; }
