# boot.sh ROOT CGROUP: boots the systemd of a file system as process 1 of namespaces of its own.
root=$1
exec unshare --mount sh -euc '
    # In a control group of its own, beneath which systemd makes more.
    mount -t cgroup2 cgroup2 /sys/fs/cgroup
    mkdir "/sys/fs/cgroup/$1"
    echo $$ > "/sys/fs/cgroup/$1/cgroup.procs"
    umount /sys/fs/cgroup
    exec unshare --mount --pid --fork --kill-child --uts --ipc --net --cgroup sh -euc "$2" "$0"
' "$root" "$2" '
    mount --bind "$0" "$0"
    cd "$0"
    mount -t proc proc proc
    # Settings of the kernel are the whole machine'"'"'s.
    mount --bind proc/sys proc/sys
    mount -o remount,bind,ro proc/sys
    mount -t sysfs -o ro sysfs sys
    mount -t cgroup2 cgroup2 sys/fs/cgroup
    mount -t tmpfs -o mode=755 dev dev
    for device in null zero full random urandom tty; do
        touch "dev/$device"
        mount --bind "/dev/$device" "dev/$device"
    done
    mkdir dev/pts dev/shm
    ln -s pts/ptmx dev/ptmx
    mount -t tmpfs -o mode=755 run run
    mkdir run/old
    pivot_root . run/old
    cd /
    umount -l run/old
    rmdir run/old
    # As in a container, where systemd leaves the machine alone.
    exec env -i container=other PATH=/usr/sbin:/usr/bin:/sbin:/bin \
        /lib/systemd/systemd --unit=basic.target --log-target=null --show-status=false
'
