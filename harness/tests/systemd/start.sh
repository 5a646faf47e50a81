# start.sh NAME RUN COUNT: systemd with a system bus as process 1 of new namespaces. Its /run is RUN, its control groups
# are below NAME, and COUNT services are active. What it could write to elsewhere is in memory.
set -e
name=$1 run=$2 count=$3
if [ "$$" != 1 ]; then
    for hierarchy in /sys/fs/cgroup /sys/fs/cgroup/systemd /sys/fs/cgroup/unified; do
        if [ -w "$hierarchy/cgroup.procs" ] && mkdir "$hierarchy/$name" 2>/dev/null; then
            echo "$$" >"$hierarchy/$name/cgroup.procs" || rmdir "$hierarchy/$name"
        fi
    done
    exec unshare --pid --fork --kill-child --mount --uts --ipc --cgroup --net -- /bin/sh "$0" "$@"
fi
mount --make-rprivate /
mount --bind "$run" /run
for directory in /etc/systemd /var /home /root; do
    mount -t tmpfs tmpfs "$directory"
done
mount -t proc proc /proc
mkdir -p /run/units /run/dbus /run/systemd/seats /run/systemd/sessions /var/lib /var/tmp /var/log
ln -s /run /var/run

unit() {
    local file=/run/units/$1
    shift
    printf '[Unit]\nDefaultDependencies=no\n' >"$file"
    printf '%s\n' "$@" >>"$file"
}
unit basic.target
unit test.target 'Wants=dbus.service login.service run.service fails.service accepts.socket tick.timer'
unit dbus.socket '[Socket]' 'ListenStream=/run/dbus/system_bus_socket'
unit dbus.service 'Requires=dbus.socket' '[Service]' 'Type=notify' \
    'ExecStart=/usr/bin/dbus-daemon --system --address=systemd: --nofork --nopidfile --systemd-activation'
unit login.service 'After=dbus.service' '[Service]' 'Type=dbus' 'BusName=org.freedesktop.login1' \
    'ExecStart=/lib/systemd/systemd-logind'
unit run.service '[Service]' 'ExecStart=/bin/sleep 1000'
unit fails.service '[Service]' 'Type=oneshot' 'ExecStart=/bin/false'
unit accepts.socket '[Socket]' 'ListenStream=/run/accepts.sock' 'Accept=yes'
unit accepts@.service '[Service]' 'ExecStart=/bin/sleep 1000'
unit tick.timer '[Timer]' 'OnStartupSec=0' 'Unit=fails.service'
unit many@.service '[Service]' 'Type=oneshot' 'RemainAfterExit=yes' 'ExecStop=/bin/true'
mkdir /run/units/test.target.wants
for number in $(seq "$count"); do
    ln -s ../many@.service "/run/units/test.target.wants/many@$number.service"
done
SYSTEMD_UNIT_PATH=/run/units container=other exec /lib/systemd/systemd --system --unit=test.target --log-target=console
