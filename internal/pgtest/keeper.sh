# Makes a folder ("$1"), says so on file descriptor 3, and removes the folder when standard input ends. Removing is
# repeated while a server that is being stopped still writes there.
trap '' HUP INT PIPE TERM
folder=$1
(umask 077 && mkdir "$folder") || exit 1
echo ready >&3
read -r line
tries=0
until rm -rf -- "$folder"; do
	tries=$((tries + 1))
	if [ "$tries" -ge 200 ]; then
		exit 1
	fi
	sleep 0.05
done
