#!/usr/bin/env bash
# kernel.sh CACHE: fills CACHE with Debian's own arm64 kernel, its C library and the modules that the machine needs. Nothing is installed and the
# machine's own apt state is not touched. gpio-sim comes from the kernel's own source, unchanged; see README.md for the one changed line beside it.
# Exit 2: Debian's packages cannot be fetched.
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
mkdir -p "$1"
cache=$(readlink -f "$1")
# Whatever makes another kernel or other modules makes another cache.
key=$(cat "$here/kernel.sh" "$here/vi2c.c" | sha256sum | cut -c1-16)
[[ $(cat "$cache/ready" 2>/dev/null) == "$key "* ]] && exit 0

rm -rf "$cache"/{ready,lists,apt,deb,unpacked,src,kmod,modules}
mkdir -p "$cache"/{lists/partial,apt/archives/partial,deb,unpacked,src,kmod,modules}
cd "$cache"
: >status
apt=(-oDir::State::Lists="$cache/lists" -oDir::Cache="$cache/apt" -oDir::State::status="$cache/status" -oAPT::Architectures=amd64 -oAPT::Architectures=arm64
    -oAcquire::Languages=none -oAcquire::IndexTargets::deb::DEP-11::DefaultEnabled=false -oAcquire::Retries=3)
((EUID)) || apt+=(-oAPT::Sandbox::User=root)
apt-get "${apt[@]}" -qq update || exit 2
image=$(apt-cache "${apt[@]}" depends linux-image-arm64:arm64 | sed -n 's/.*Depends: \(linux-image-6\.1[^:]*\).*/\1/p' | head -1)
[[ $image ]] || { echo "these package sources have no arm64 kernel 6.1 (Debian 12)" >&2; exit 2; }
version=${image#linux-image-}
(cd deb && apt-get "${apt[@]}" -qq download "$image:arm64" "linux-headers-$version:arm64" "linux-headers-${version%-arm64}-common" linux-kbuild-6.1 \
    linux-source-6.1 libc6:arm64 libgcc-s1:arm64 libgpiod2:arm64 libssl3:arm64 busybox-static:arm64) || exit 2
for name in libc6 libgcc-s1 libgpiod2 libssl3 busybox-static linux-headers linux-kbuild; do
    for file in deb/"$name"*.deb; do dpkg-deb -x "$file" unpacked; done
done
dpkg-deb --fsys-tarfile deb/"$image"_*.deb | tar x -C unpacked --wildcards './boot/vmlinuz-*' \
    '*/configfs.ko' '*/i2c-dev.ko' '*/i6300esb.ko'
dpkg-deb --fsys-tarfile deb/linux-source-6.1_*.deb | tar xO ./usr/src/linux-source-6.1.tar.xz |
    tar xJ -C src --strip-components=1 --wildcards '*/drivers/gpio/gpio-sim.c' '*/drivers/gpio/gpiolib.h' '*/kernel/irq/irq_sim.c'

cp src/drivers/gpio/gpio-sim.c kmod/gpio-sim-main.c
cp src/drivers/gpio/gpiolib.h kmod/
# The kernel keeps irq_to_desc to itself; generic_handle_irq does the same from a module.
sed 's/handle_simple_irq(irq_to_desc(irqnum));/generic_handle_irq(irqnum);/' src/kernel/irq/irq_sim.c >kmod/irq_sim.c
cp "$here/vi2c.c" kmod/
printf 'obj-m := gpio-sim.o vi2c.o\ngpio-sim-y := gpio-sim-main.o irq_sim.o\n' >kmod/Kbuild
headers=unpacked/usr/src/linux-headers-$version
sed -i "s#include /usr/src/#include $cache/unpacked/usr/src/#" "$headers/Makefile"
make -s -C "$headers" M="$cache/kmod" ARCH=arm64 CROSS_COMPILE=aarch64-linux-gnu- CC=aarch64-linux-gnu-gcc-12 modules >kmod.log 2>&1 ||
    { cat kmod.log >&2; exit 1; }
aarch64-linux-gnu-strip --strip-debug kmod/*.ko
find unpacked/lib/modules kmod -name '*.ko' -exec cp {} modules/ \;
cp unpacked/boot/vmlinuz-* vmlinuz
rm -rf deb src lists apt status unpacked/usr/src unpacked/usr/lib/linux-kbuild* unpacked/usr/share
echo "$key $version" >ready
