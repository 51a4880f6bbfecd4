#!/usr/bin/env bash
# The deployment on a real Debian: systemd, sshd and ext4 in a QEMU guest (x86-64, TCG: no KVM, no root needed but for making the image), on loopback alone.
# Installs, repeats, upgrades, refuses, rolls back, cuts the power in the middle of each step, removes; ends with "N passed, N failed".
# The node's board in the guest is a SIMULATED one (physsec-rig room); its program, unit, journal, hub and link are the real ones.
#
#   tests/vm/deploy-test.sh CACHE [--cuts N]
# CACHE holds what `./deploy.sh test --vm deploy` has built: one.tar.gz, a bundle for x64, signed by PHYSSEC_RELEASE_KEY, and rig/. --cuts: how often the
# power goes.
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../.."

(($#)) || { echo "deploy-test: give the folder with one.tar.gz and rig" >&2; exit 64; }
CACHE=$(readlink -f "$1") WORK='' PORT='' QEMU='' passed=0 failed=0 cuts=5
bundle=$CACHE/one.tar.gz
shift
say() { printf '%s\n' "deploy-test: $*" >&2; }
fail() { say "$1"; exit 1; }

while (($#)); do
    case $1 in
        --cuts) cuts=$2; shift 2 ;;
        *) fail "it does not know '$1'" ;;
    esac
done

# ---- the guest -------------------------------------------------------------------------------------------------------------------------------
image() { # a Debian as its packages make it, and one ssh key
    local recipe
    recipe=$(declare -f image | sha256sum)
    [[ -s $CACHE/base.img && $recipe == "$(cat "$CACHE/base.id" 2>/dev/null)" ]] && return 0
    say "making the guest from Debian's packages (once; some minutes)"
    mkdir -p "$CACHE"
    [[ -s $CACHE/id ]] || ssh-keygen -q -t ed25519 -N '' -f "$CACHE/id"
    # shellcheck disable=SC2016
    mmdebstrap --quiet --variant=minbase --include=systemd,systemd-sysv,udev,dbus,openssh-server,linux-image-amd64,initramfs-tools,iproute2,kmod,zlib1g,libgcc-s1,libstdc++6,curl \
        --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt='path-exclude=/usr/share/man/*' \
        --essential-hook='mkdir -p "$1/etc/initramfs-tools/conf.d" && echo MODULES=list >"$1/etc/initramfs-tools/conf.d/small" && printf "virtio_pci\nvirtio_blk\next4\n" >"$1/etc/initramfs-tools/modules"' \
        --customize-hook='mkdir -p "$1/root/.ssh" && cp '"$CACHE"'/id.pub "$1/root/.ssh/authorized_keys" && chmod 700 "$1/root/.ssh"' \
        --customize-hook='echo physsec-test >"$1/etc/hostname"; echo "/dev/vda / ext4 errors=remount-ro 0 1" >"$1/etc/fstab"' \
        --customize-hook='printf "[Match]\nName=e*\n[Network]\nDHCP=yes\n" >"$1/etc/systemd/network/10.network"; chroot "$1" systemctl -q enable systemd-networkd' \
        --customize-hook='chroot "$1" systemctl -q mask systemd-networkd-wait-online apt-daily.timer apt-daily-upgrade.timer e2scrub_all.timer fstrim.timer' \
        --customize-hook='cat "$1"/boot/vmlinuz-* >'"$CACHE"'/vmlinuz; cat "$1"/boot/initrd.img-* >'"$CACHE"'/initrd' \
        "$(. /etc/os-release && echo "$VERSION_CODENAME")" "$CACHE/root.tar" || fail "mmdebstrap did not make the guest"
    rm -rf "$CACHE/root"
    mkdir "$CACHE/root"
    tar -xf "$CACHE/root.tar" -C "$CACHE/root" --exclude='./dev/*'
    mke2fs -q -t ext4 -d "$CACHE/root" -L root "$CACHE/new.img" 2600M
    rm -rf "$CACHE/root" "$CACHE/root.tar"
    mv "$CACHE/new.img" "$CACHE/base.img"
    echo "$recipe" >"$CACHE/base.id"
}

power_on() {
    mkdir -p "$WORK/tpm"
    swtpm socket --tpm2 --tpmstate "dir=$WORK/tpm" --ctrl "type=unixio,path=$WORK/tpm.sock" --terminate >"$WORK/tpm.log" 2>&1 & # Ends with QEMU; what it has sealed stays.
    until [[ -S $WORK/tpm.sock ]]; do sleep 0.1; done
    qemu-system-x86_64 -machine q35 -accel tcg,thread=multi -cpu max -smp 2 -m 1536 -nodefaults -no-user-config -display none -no-reboot \
        -kernel "$CACHE/vmlinuz" -initrd "$CACHE/initrd" -append "root=/dev/vda rw console=ttyS0 quiet mitigations=off panic=-1 loglevel=3" \
        -drive "file=$WORK/disk.img,if=virtio,format=raw" -netdev "user,id=n,restrict=on,hostfwd=tcp:127.0.0.1:$PORT-:22" \
        -device virtio-net-pci,netdev=n -device virtio-rng-pci \
        -chardev "socket,id=tpm,path=$WORK/tpm.sock" -tpmdev emulator,id=tpm,chardev=tpm -device tpm-tis,tpmdev=tpm -serial "file:$WORK/console.log" &
    QEMU=$!
    local until=$((SECONDS + 300))
    until guest true 2>/dev/null; do
        kill -0 "$QEMU" 2>/dev/null || fail "QEMU ended: $(tail -n 3 "$WORK/console.log")"
        ((SECONDS < until)) || fail "the guest does not answer within 300 s: $(tail -n 3 "$WORK/console.log")"
        sleep 1
    done
}

power_off() { # as a plug that is pulled: what the guest has not written is gone
    kill -9 "$QEMU" 2>/dev/null || true
    wait 2>/dev/null || true # For the TPM too.
    rm -f "$WORK/tpm.sock"
    QEMU=''
}

guest() { ssh -o BatchMode=yes $PHYSSEC_SSH root@127.0.0.1 "$@"; }
installer() { guest physsec-install "$@"; }

clean() {
    [[ $QEMU ]] && power_off
    [[ $WORK ]] && rm -rf "$WORK"
}
trap clean EXIT
trap 'say "line $LINENO failed: $BASH_COMMAND"' ERR

# ---- checks ----------------------------------------------------------------------------------------------------------------------------------
check() { # check "what must be true" command...
    local what=$1
    shift
    if "$@" >"$WORK/last" 2>&1; then
        passed=$((passed + 1))
        say "ok: $what"
    else
        failed=$((failed + 1))
        say "FAILED: $what"
        sed 's/^/  | /' "$WORK/last" | tail -n 15 >&2
    fi
}

ends_with() { # ends_with CODE WORDS command... : the exit code, and WORDS in what it says
    local want=$1 words=$2 code=0 said
    shift 2
    said=$("$@" 2>&1) || code=$?
    printf '%s\n' "$said"
    [[ $code == "$want" ]] || { echo "exit code $code instead of $want"; return 1; }
    grep -qF -- "$words" <<<"$said" || { echo "does not say: $words"; return 1; }
}

in_use() { [[ $(guest readlink /opt/physsec/node/current) == "$1" ]] || { guest ls -l /opt/physsec/node; return 1; }; }
well() { # within 4 minutes: a boot under TCG is slow
    guest 'for i in $(seq 240); do /opt/physsec/node/current/physsec-node status && [ ! -e /opt/physsec/node/trial ] && exit 0; sleep 1; done; systemctl status physsec-node physsec-resume --no-pager; exit 1'
}
node_pid() { guest systemctl show -P MainPID physsec-node; }

# ---- bundles: one is built, the others are made from it --------------------------------------------------------------------------------------
bundles() {
    RELEASE_KEY=$PHYSSEC_RELEASE_KEY
    # shellcheck source=../../hub/deploy/bundle.sh
    . hub/deploy/bundle.sh
    local stage=$WORK/stage
    mkdir "$stage"
    tar -xzf "$bundle" -C "$stage"
    ONE=$(sed -n 's/^version //p' "$stage/manifest") TWO=0.1.1-2 BAD=0.1.2-3 LAST=0.1.3-4
    cp hub/deploy/physsec-install "$stage/"
    pack "$stage" "$ONE" x64 native test "$WORK/one.tar.gz" >/dev/null 2>&1
    pack "$stage" $TWO x64 native test "$WORK/two.tar.gz" >/dev/null 2>&1
    { cat hub/deploy/release; echo "revoked $ONE"; } >"$WORK/release"
    PHYSSEC_RELEASE=$WORK/release pack "$stage" $LAST x64 native test "$WORK/last.tar.gz" >/dev/null 2>&1
    mv "$stage/node/physsec-node" "$WORK/node"
    printf '#!/bin/sh\necho "this version does not start" >&2\nexit 1\n' >"$stage/node/physsec-node"
    chmod 755 "$stage/node/physsec-node"
    pack "$stage" $BAD x64 native test "$WORK/bad.tar.gz" >/dev/null 2>&1
    rm -rf "$stage"
}

# ---- the story -------------------------------------------------------------------------------------------------------------------------------
for it in mmdebstrap swtpm qemu-system-x86_64 mke2fs ssh-keygen dotnet; do command -v $it >/dev/null || fail "$it is missing (Debian: mmdebstrap, swtpm, qemu-system-x86, e2fsprogs, openssh-client)"; done
image
WORK=$(mktemp -d "$CACHE/run-XXXXXX")
PORT=$(comm -23 <(seq 20000 20999 | sort) <(ss -ltnH | grep -o ':[0-9]* ' | tr -d ': ' | sort -u) | sed -n 1p)
export PHYSSEC_SSH="-p $PORT -i $CACHE/id -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR" XDG_CONFIG_HOME=$WORK/config
chmod 600 "$CACHE/id"
bundles
cp --sparse=always "$CACHE/base.img" "$WORK/disk.img"
say "starting the guest"
power_on

HOST=root@127.0.0.1
check "a dry run of the first installation changes nothing" bash -c "./deploy.sh hub $HOST --bundle $WORK/one.tar.gz --site fukaya --dry-run && ssh -o BatchMode=yes $PHYSSEC_SSH $HOST '! test -e /opt/physsec && ! test -e /etc/physsec && ! getent passwd physsec-hub'"
check "the hub is installed, starts and is well" ./deploy.sh hub $HOST --bundle "$WORK/one.tar.gz" --site fukaya --limit 600
check "the node is installed and waits for its enrolment" ends_with 0 "installed. Next" ./deploy.sh node $HOST --bundle "$WORK/one.tar.gz"

# The simulated room, as a service of its own.
tar -C "$CACHE" -cf - rig | guest 'tar -C /root -xf - && chmod 755 /root && mv /root/rig /opt/rig'
guest bash -s <<'ROOM'
set -e
mkdir -p /etc/physsec-board && sed 's,"room.sock","/run/physsec-room/room.sock",' /opt/physsec/node/current/boards/one-room-simulated.json >/etc/physsec-board/board.json
cat >/etc/systemd/system/physsec-room.service <<'UNIT'
[Unit]
Description=SIMULATED room of the test
Before=physsec-node.service
[Service]
User=physsec-node
RuntimeDirectory=physsec-room
ExecStart=/opt/rig/physsec-rig room /etc/physsec-board/board.json
Restart=always
[Install]
WantedBy=multi-user.target
UNIT
systemctl enable -q --now physsec-room
# The hub stands at the far end of a cable: a network of its own, joined to the node's by one pair of interfaces.
cat >/etc/systemd/system/hub-cable.service <<'UNIT'
[Unit]
Description=Cable between node and hub of the test
Before=physsec-hub.service
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh -ec 'ip netns add hub; ip -n hub link set lo up; ip link add n0 type veth peer name h0 netns hub; ip addr add 10.9.0.1/24 dev n0; ip -n hub addr add 10.9.0.2/24 dev h0; ip link set n0 up; ip -n hub link set h0 up'
[Install]
WantedBy=multi-user.target
UNIT
mkdir -p /etc/systemd/system/physsec-hub.service.d
printf '[Unit]\nConditionPathExists=!/root/no-hub\nRequires=hub-cable.service\nAfter=hub-cable.service\n[Service]\nNetworkNamespacePath=/run/netns/hub\n' >/etc/systemd/system/physsec-hub.service.d/cable.conf
sed -i 's/"names": \[.*\]/"names": ["10.9.0.2"]/' /etc/physsec-hub/hub.json
systemctl daemon-reload
systemctl enable -q --now hub-cable
systemctl restart physsec-hub
for i in $(seq 300); do runuser -u physsec-hub -- /opt/physsec/hub/current/physsec-hub status --state /var/lib/physsec-hub >/dev/null 2>&1 && break; sleep 1; done
code=$(runuser -u physsec-hub -- /opt/physsec/hub/current/physsec-hub enroll n1 --state /var/lib/physsec-hub | sed -n "s/.*enroll '\(.*\)'.*/\1/p")
runuser -u physsec-node -- /opt/physsec/node/current/physsec-node enroll "$code" --board /etc/physsec-board/board.json
systemctl start physsec-node
ROOM
check "the enrolled node is well, and the hub acknowledges" guest 'for i in $(seq 120); do /opt/physsec/node/current/physsec-node status --linked && exit 0; sleep 1; done; journalctl -u physsec-node -n 20 --no-pager; exit 1'
guest bash -s <<'SITE'
set -e
token=$(runuser -u physsec-hub -- /opt/physsec/hub/current/physsec-hub token --state /var/lib/physsec-hub --name test --role administrator --hours 24 --may-release)
printf '#!/bin/sh\nexec ip netns exec hub curl -sk --max-time 60 -H "Authorization: Bearer %s" -H "content-type: application/json" -X "$1" "https://10.9.0.2:8443/api/v1/$2" ${3:+-d "$3"}\n' "$token" >/usr/local/bin/api
printf '#!/bin/sh\nexec /opt/rig/physsec-rig room /etc/physsec-board/board.json "$@"\n' >/usr/local/bin/room
chmod 755 /usr/local/bin/api /usr/local/bin/room
api PUT zones/room '{"id":"room","nameJa":"サーバ室","nameEn":"Server room","level":1,"maxAgeHours":720,"required":"low","onJournalFault":"refuse"}'
api PUT doors/door-a '{"id":"door-a","node":"n1","zone":"room","nameJa":"扉","nameEn":"Door","releaseTime":5,"extendedReleaseTime":15,"openTime":600,"preAlarmTime":500,"readerAssurance":"low"}'
SITE
check "the node's keys are sealed to the board's TPM" guest 'for it in node.key site.key; do grep -q "SEALED TO A TPM" /etc/physsec-node/$it || exit 1; done; ! grep -q "PRIVATE KEY" /etc/physsec-node/node.key'
check "the hub has its zone and its door" guest "api GET doors | grep '\"id\": *\"door-a\"'"
check "status says so from here" ./deploy.sh status $HOST
check "systemd finds the node exposed to 2.0 at most" guest systemd-analyze security --no-pager --threshold=20 physsec-node.service
check "systemd finds the hub exposed to 2.5 at most" guest systemd-analyze security --no-pager --threshold=25 physsec-hub.service

guest touch /run/before
pid=$(node_pid)
check "the same bundle again: nothing to do" ends_with 0 "nothing to do" ./deploy.sh node $HOST --bundle "$WORK/one.tar.gz" --hub $HOST
check "… and nothing was touched" guest '! find /opt/physsec /etc /usr/local -newer /run/before -not -path "*/adjtime" | grep .'
check "… and the node runs on" test "$(node_pid)" = "$pid"

cp "$WORK/two.tar.gz" "$WORK/forged.tar.gz"
cp "$WORK/one.tar.gz.sig" "$WORK/forged.tar.gz.sig"
check "a bundle with another's signature is refused" ends_with 77 "signature" ./deploy.sh node $HOST --bundle "$WORK/forged.tar.gz"
guest 'room exit hold; sleep 1; room open; sleep 2' >/dev/null
check "while a door is open nothing is changed" ends_with 75 "is open" ./deploy.sh node $HOST --bundle "$WORK/two.tar.gz" --wait 3
check "… and the node runs on" test "$(node_pid)" = "$pid"
guest 'for it in close "exit release"; do room $it; done; sleep 2' >/dev/null
check "an upgrade is taken over" ends_with 0 "in use and well" ./deploy.sh node $HOST --bundle "$WORK/two.tar.gz" --limit 240
check "… its version is in use" in_use $TWO
check "a version that does not start is taken back by itself" ends_with 1 "back to $TWO, which is well" ./deploy.sh node $HOST --bundle "$WORK/bad.tar.gz" --limit 30
check "… the old version is in use" in_use $TWO
check "a rollback goes to the version before" ends_with 0 "in use and well" ./deploy.sh rollback $HOST node
check "… its version is in use" in_use "$ONE"

# ---- integrity: what is on the disk is asked before each start ----------------------------------------------------------------------------------
alarmed() { guest "for i in \$(seq 60); do api GET alarms | grep -o '\"class\": *\"program-damaged\"[^}]*' | grep -q '\"active\": *$1' && exit 0; sleep 1; done; api GET alarms; exit 1"; }
guest "cd /opt/physsec/node/$ONE && cp -p physsec-node it && printf x >>it && mv it physsec-node && systemctl restart --no-block physsec-node"
check "a program that was changed on the disk is not started: the previous version runs" guest 'for i in $(seq 120); do [ -e /opt/physsec/node/damaged ] && /opt/physsec/node/current/physsec-node status --linked && exit 0; sleep 1; done; journalctl -u physsec-node -n 20 --no-pager; exit 1'
check "… it is in use" in_use $TWO
check "… status names the file" ends_with 0 "physsec-node: FAILED" ./deploy.sh status $HOST
check "… the hub raises an alarm" alarmed true
check "the same bundle again mends it" ends_with 0 "in use and well" ./deploy.sh node $HOST --bundle "$WORK/one.tar.gz" --limit 240
check "… it is in use" in_use "$ONE"
check "… the alarm ends" alarmed false
guest "touch /opt/physsec/node/$ONE/added.so /opt/physsec/node/$TWO/added.so; systemctl restart --no-block physsec-node"
check "with no version as it was released nothing starts, and the lock has no power" guest 'for i in $(seq 120); do journalctl -q -u physsec-node -o cat -n 30 | grep -q "NOT started.*files that nobody released: added.so" && break; sleep 1; done; ! systemctl is-active -q physsec-node && room status | grep "\"lockOutput\":false"'
guest "rm /opt/physsec/node/$ONE/added.so /opt/physsec/node/$TWO/added.so"
check "… and it comes back by itself when that is mended" well
check "kill -9 leaves the lock without power, and the node comes back" guest 'systemctl kill -s KILL physsec-node; for i in $(seq 120); do /opt/physsec/node/current/physsec-node status >/dev/null 2>&1 && break; sleep 1; done; room status | grep "\"lockOutput\":false"'

# ---- communications ----------------------------------------------------------------------------------------------------------------------------
# Whatever happens to the link, no door is released by it (R-ACC-14). The room counts each release; the hub's command is the only one that is meant.
releases() { guest room status | sed -n 's/.*"lockReleases":\([0-9]*\).*/\1/p'; }
released() { guest api POST doors/door-a/release "'{\"reason\":\"test of the link\"}'"; }
link_heals() { # … and the clock, which a hub that was wrong with it leads back only by its second word
    guest 'for i in $(seq 240); do said=$(/opt/physsec/node/current/physsec-node status --linked) && ! grep -q "clock is unset" <<<"$said" && exit 0; sleep 1; done; journalctl -u physsec-node -n 20 --no-pager; exit 1'
}
releases_by_command() { # the proof that a release would have been seen
    local before said
    before=$(releases)
    said=$(released)
    printf '%s\n' "$said"
    guest 'for i in $(seq 60); do room status | grep -q "\"lockOutput\":false" && exit 0; sleep 1; done; exit 1' && grep -q '"done"' <<<"$said" && [[ $(releases) == $((before + 1)) ]]
}
fault() { # fault "what happens" "how it is done" "how it is undone" [a command is asked for meanwhile: yes]
    local before pid said=''
    before=$(releases) pid=$(node_pid)
    guest "$2" >"$WORK/fault.log" 2>&1
    if [[ ${4-} ]]; then said=$(released); fi
    guest 'for i in 1 2 3 4 5; do room card 9 $((1000 + i)); room card 9 $((2000 + i)) out; sleep 2; done' >/dev/null
    check "$1: no card and no command releases the door" test "$(releases)" = "$before"
    [[ ! ${4-} ]] || check "$1: the hub says that the command did not arrive" grep -q '"no-answer"' <<<"$said"
    guest "$3" >>"$WORK/fault.log" 2>&1
    check "$1: link and hub are well again" link_heals
    check "$1: what came back has released nothing" test "$(releases)" = "$before"
    check "$1: the node never stopped" test "$(node_pid)" = "$pid"
    check "$1: a new command works, once" releases_by_command
}
check "a command of the hub releases the door once" releases_by_command
fault "the cable is pulled" 'ip link set n0 down' 'ip link set n0 up' yes
fault "the address is gone" 'ip addr flush dev n0' 'ip addr add 10.9.0.1/24 dev n0' yes
fault "the hub is killed" 'systemctl kill -s KILL physsec-hub; systemctl stop physsec-hub' 'systemctl start physsec-hub'
fault "garbage instead of the hub" 'systemctl stop physsec-hub; systemd-run -q --unit=garbage ip netns exec hub systemd-socket-activate --accept --inetd -l 10.9.0.2:8883 cat /dev/urandom; sleep 20' \
    'systemctl stop garbage; systemctl start physsec-hub'
fault "the clock jumps two days ahead" 'date -s "+2 days"' 'date -s "-2 days"'

# ---- power cuts ------------------------------------------------------------------------------------------------------------------------------
# bash itself says which command comes next (DEBUG trap through BASH_ENV): at the chosen one the kernel resets the machine at once, without a sync.
guest 'touch /root/no-hub; systemctl stop physsec-hub; cat >/root/cut.sh' <<'CUT'
set -T
cut_count=0
cut_step() {
    case $1 in mv\ * | ln\ * | rm\ * | sync\ * | tar\ * | mkdir\ * | chmod\ * | systemctl\ *) ;; *) return 0 ;; esac
    cut_count=$(($(cat /run/cut-count 2>/dev/null || echo 0) + 1))
    echo $cut_count >/run/cut-count
    echo "$cut_count $1" >>/run/cut-list
    [ "$cut_count" = "${CUT_AT:-0}" ] && echo b >/proc/sysrq-trigger
    return 0
}
trap 'cut_step "$BASH_COMMAND"' DEBUG
CUT
for it in one two; do
    guest "cat >/root/$it.tar.gz" <"$WORK/$it.tar.gz"
    guest "cat >/root/$it.tar.gz.sig" <"$WORK/$it.tar.gz.sig"
done
guest 'sync; rm -rf /opt/physsec/node/'$TWO'; rm -f /run/cut-*; BASH_ENV=/root/cut.sh physsec-install install node /root/two.tar.gz --limit 240' >/dev/null
check "the upgrade passes with its steps counted" in_use $TWO
total=$(guest 'cat /run/cut-count')
guest cat /run/cut-list >"$CACHE/last-steps.txt"
say "an upgrade has $total steps that change something; the power goes at $cuts of them"
for ((i = 1; i <= cuts; i++)); do
    at=$(((i * 2 - 1) * total / (cuts * 2) + 1))
    if [[ $(guest readlink /opt/physsec/node/current) == "$ONE" ]]; then from=$ONE to=$TWO file=two; else from=$TWO to=$ONE file=one; fi
    guest "rm -rf /opt/physsec/node/$to; rm -f /run/cut-*; sync"
    guest "CUT_AT=$at BASH_ENV=/root/cut.sh timeout 300 physsec-install install node /root/$file.tar.gz --limit 240" >"$WORK/cut.log" 2>&1 || true
    if kill -0 "$QEMU" 2>/dev/null; then sleep 2; fi
    step=$(sed -n "${at}s/^[0-9]* //p" "$CACHE/last-steps.txt")
    check "step $at ($step): the power went" bash -c "! kill -0 $QEMU 2>/dev/null"
    power_off
    power_on
    check "step $at: the next boot has a working version" well
    check "step $at: it is one of both" bash -c "case '$(guest readlink /opt/physsec/node/current)' in '$from' | '$to') ;; *) exit 1 ;; esac"
    check "step $at: a second run brings the new one" guest physsec-install install node /root/$file.tar.gz --limit 240
    check "step $at: … and it is in use" in_use "$to"
done
guest 'rm /root/no-hub; systemctl start physsec-hub'

# ---- the end ---------------------------------------------------------------------------------------------------------------------------------
check "a bundle revokes an older version" ends_with 0 "in use and well" ./deploy.sh node $HOST --bundle "$WORK/last.tar.gz" --limit 240
check "… which is not taken any more" ends_with 77 "revoked" guest physsec-install install node /root/one.tar.gz
check "remove keeps the records" bash -c "./deploy.sh remove $HOST node && ssh -o BatchMode=yes $PHYSSEC_SSH $HOST 'test -s /var/lib/physsec-node/journal.db && ! test -e /opt/physsec/node && ! systemctl is-active -q physsec-node'"
check "remove again is no mistake" ./deploy.sh remove $HOST node
check "remove --with-data leaves nothing" bash -c "./deploy.sh remove $HOST hub --with-data && ssh -o BatchMode=yes $PHYSSEC_SSH $HOST '! test -e /var/lib/physsec-hub && ! test -e /etc/physsec-hub && ! getent passwd physsec-hub'"

printf '%s passed, %s failed\n' "$passed" "$failed"
((passed > 0 && failed == 0))
