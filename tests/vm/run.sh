#!/usr/bin/env bash
# run.sh NODE GUEST KERNEL [--repeat N] [ARGUMENTS OF THE GUEST]
# Boots the kernel that kernel.sh has put into the folder KERNEL, with the published programs of the folders NODE and GUEST, shows the machine's
# console, and ends with "N passed, N failed". Exit: 0 all passed, 1 a rule failed, 99 the machine died, 124 it did not end in time. See README.md.
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
node=$1 guest=$2 cache=$3
shift 3
repeat=1
[[ ${1-} == --repeat ]] && repeat=$2 && shift 2
board=$here/../../hardware/boards/one-room-pi.json
limit=${PHYSSEC_VM_SECONDS:-300}
shift=1 # 2 ns an instruction
[[ ${1-} == --wiegand ]] && limit=${PHYSSEC_VM_SECONDS:-14400} shift=2 && set -- --wiegand "${2:-10000}" # A slower machine is the harder test, and ends sooner.

started=$EPOCHREALTIME
since() { awk -v from="$1" -v to="$EPOCHREALTIME" 'BEGIN { printf "%.1f s", to - from }'; }
cache=$(readlink -f "$cache")

root=$(mktemp -d)
trap 'rm -rf "$root" "$root".*' EXIT
mkdir -p "$root"/{bin,lib,modules,node,test,proc,sys,dev,tmp,root}
cp "$cache/unpacked/bin/busybox" "$root/bin/"
for it in ld-linux-aarch64.so.1 libc.so.6 libm.so.6 libdl.so.2 libpthread.so.0 librt.so.1 libgcc_s.so.1 libgpiod.so.2 libssl.so.3 libcrypto.so.3; do
    cp -L "$(find "$cache"/unpacked/{lib,usr/lib} -name "$it" | head -1)" "$root/lib/"
done
cp "$cache"/modules/*.ko "$root/modules/"
cp "$node/physsec-node" "$node"/*.so "$root/node/"
cp "$guest/vm-guest" "$guest"/*.so "$board" "$root/test/"
printf '%s\n' "$*" >"$root/test/arguments"
install -m 755 "$here/init" "$root/init"
(cd "$root" && find . -exec touch -h -d @0 {} + && find . | LC_ALL=C sort | cpio -o -H newc --quiet --reproducible) >"$root.cpio"
prepared=$(since "$started")

# One processor and virtual time: the machine's clock counts instructions, so a busy host makes it slower and never different.
machine() {
    timeout -k 5 "$limit" qemu-system-aarch64 -M virt,dtb-randomness=off -cpu cortex-a53 -accel tcg -smp 1 -m 512 -icount shift=$shift,sleep=off \
        -rtc base=2030-01-08T00:00:00,clock=vm -seed 1 -display none -nodefaults -no-user-config -serial stdio \
        -chardev socket,id=a,path="$root.uart",server=on,wait=off -device pci-serial,chardev=a \
        -chardev socket,id=b,path="$root.uart" -device pci-serial,chardev=b \
        -device i6300esb -action watchdog=reset -kernel "$cache/vmlinuz" -initrd "$root.cpio" \
        -append "console=ttyAMA0 quiet panic=0 mitigations=off nokaslr" </dev/null | sed -u -e 's/\r$//' -e '/reboot: Power down/d'
}

first=$root.first
for ((round = 1; round <= repeat; round++)); do
    begun=$EPOCHREALTIME
    rc=0
    if ((round == 1)); then machine | tee "$first" || rc=$?; else machine >"$root.again" || rc=$?; fi
    echo "run $round: $(since "$begun")" >&2
    ((rc == 124)) && { echo "the machine did not end within $limit s" >&2; break; }
    ((round == 1)) || cmp "$first" "$root.again" >&2 || { diff "$first" "$root.again" >&2 || true; rc=1; break; }
done

passed=$(grep -c '^ok ' "$first" || true)
failed=$(grep -c '^FAIL ' "$first" || true)
ended=$(sed -n 's/^VM-RC=//p' "$first" | tail -1)
if ((!rc)); then
    if [[ -z $ended ]]; then rc=99; echo "the machine died before its tests ended" >&2; elif ((failed || ended)); then rc=1; fi
fi
((rc && !failed)) && failed=1
((repeat > 1 && rc == 0)) && echo "$repeat runs, console identical: $(sha256sum <"$first" | cut -c1-16)"
echo "virtual machine: $prepared to pack its image, $(since "$started") in all" >&2
echo "$passed passed, $failed failed"
exit "$rc"
