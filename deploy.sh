#!/usr/bin/env bash
# The one entry to PhysSec for a person at a Debian machine: run it, try it, test it, measure it.
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")"

export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 DOTNET_SKIP_FIRST_TIME_EXPERIENCE=1 MSBUILDTERMINALLOGGER=off

say()  { printf '%s\n' "deploy.sh: $*" >&2; }
fail() { printf '%s\n' "deploy.sh: $1" >&2; exit "${2:-1}"; }

help() {
    cat <<'HELP'
./deploy.sh VERB [ARGUMENTS]

  demo [--state DIR] [--broker embedded|mosquitto] [--ups] [--story]
           Starts a hub, one node and a simulated room; prints the console's address and a one-time sign-in link.
           --state DIR      keeps everything under DIR; a second start continues from it
           --broker         the hub's own broker (default) or Debian's Mosquitto
           --ups            mains and battery also from a real upsd (Debian's nut-server)
           --story          plays a scripted day without a person and checks every line of it; exit 0 only if all came out
           模擬サーバ室で試します。Ctrl-C ですべて終了します。
  sim [--state DIR] COMMAND
           Acts on the room of the running demo: badge alice, open, close, leak on, mains off, heat 3kW … (sim alone lists all).
           動作中のデモの部屋を操作します。
  test [--fast]
           Every test: unit, real processes, real broker, real mail server, real browser. --fast: unit tests only.
  test --vm
           Both of the following, in virtual machines (three quarters of an hour).
  test --vm board [--repeat N] [--break wiegand|i2c | --wiegand [FRAMES]]
           Hardware in the loop: the node's native arm64 program in a virtual machine with GPIO, I2C, serial lines and a watchdog (tests/vm).
           --repeat N       N runs, whose consoles must be the same byte for byte
           --break WHAT     breaks the simulated wiring on purpose: the run must fail
           --wiegand        10,000 cards on a busy machine: none wrong, at most 1 in 1,000 lost (20 minutes)
  test --vm deploy [--cuts N]
           Installs, upgrades, takes back and removes the programs in a Debian guest with systemd and sshd, spoils the link, and cuts the power N times.
  bench [NAME]
           Measures the budgets of the README. node: the native program against the one on the shared runtime (published for it first).
  bench door [--cards N] [--only wiegand,osdp,load,decision]
           From a card at the reader to the lock's output, over Wiegand and over OSDP at 9,600, 38,400 and 115,200 baud with 1 and 4 readers, beside what
           the wire allows; from poll to poll; the node's processor with 8 readers; the decision alone. Eight minutes.
           カードをかざしてから錠が動くまでの時間を測ります。
  bench record [--records N] [--keep DIR] [--only commit,fill,search,verify]
           What the record costs: commits from 1, 100 and 500 nodes beside plain SQLite, size, searches of 10,000,000 records, verification of a
           million. A quarter of an hour and 11 GB of disk; --keep keeps the filled store and searches it again the next time.
           記録の性能を測ります(コミット、容量、1,000万件の検索、検証)。
  soak kill [--rounds N] [--seed S]
           Kills the node at random moments under a stream of badges and checks that no record is lost or doubled.
  soak record [--rounds N] [--seed S]
           Plays a randomised model of nodes, broker and hub (the real classes on a simulated line and clock; every fault from a seed) and checks the same of each round.
           記録が失われず、二重にもならないことを、模擬の通信路と時計で何度も確かめます。
  soak readers [--frames N] [--seed S]
           Random and mutated frames (10,000,000 unless told otherwise) through the parsers of readers and supervised lines; an independent judge accounts for each event.
           乱数と改変したフレームで、読取機と監視線の解析部を試験します。
  soak faults [--rounds N] [--seed S] [--only NAME[,NAME]]
           Kills node, hub and Mosquitto, fails and fills their disks, cuts their power, tears the journal, piles up a million records, and judges the record.
           What needs root and cannot run here is SKIPPED with exit 3, unless PHYSSEC_FAULTS_MAY_SKIP=1.
  hub HOST | node HOST [--bundle FILE] [--dry-run] [--wait S] [--limit S] [--even-open] [--site NAME] [--hub HUBHOST]
           Installs or upgrades a machine over ssh (~/.ssh/config; PHYSSEC_SSH='-p 2222' adds options). Changes nothing while a door is open, goes back
           by itself when the new version does not become healthy, keeps all data. --hub: only while that hub sees the site's other nodes.
           --site: a first hub.json. Without --bundle it builds one.
           実機に導入・更新します。正常にならない版は自動で元に戻ります。データは残ります。
  status HOST | rollback HOST | remove HOST [node|hub] [--dry-run]
           How it is; back to the previous version; away with the program (state stays, unless --with-data is typed).
           状態表示、前の版への復帰、削除(記録は残ります)。
  verify PACK [--checkpoint FILE]... [--key KEY]
           Says what an evidence pack proves; physsec-verify is built for it as one native file (.artefacts/verify) that runs on its own anywhere.
           証拠パックを検証します。
  bundle [--version V] [--arch arm64|x64] [--node native|jit] [-o FILE] | bundle --new-key
           Builds node and hub into one signed file that also installs from a USB stick without a network. --new-key makes the key that signs.
           署名付き配布ファイルを作ります。USBメモリからも導入できます。
  help     This text.
HELP
}

need_sdk() {
    command -v dotnet >/dev/null || fail "the .NET 10 SDK is missing: no 'dotnet' in PATH. Install it (https://learn.microsoft.com/dotnet/core/install/linux-debian) and start again."
    dotnet --list-sdks 2>/dev/null | grep -q '^10\.' ||
        fail "the .NET 10 SDK is missing; 'dotnet --list-sdks' shows: $(dotnet --list-sdks 2>/dev/null | awk '{ printf "%s ", $1 }'). Install a 10.0 SDK beside it and start again."
}

# need_packages "why" package... : installs what is missing from Debian and says so.
need_packages() {
    local why=$1 missing=() it
    shift
    for it in "$@"; do
        [[ $(dpkg-query -W -f '${db:Status-Abbrev}' "$it" 2>/dev/null) == ii* ]] || missing+=("$it")
    done
    ((${#missing[@]})) || return 0

    local root=()
    if ((EUID != 0)); then
        command -v sudo >/dev/null || fail "missing Debian packages: ${missing[*]} ($why). Install them as root: apt-get install --no-install-recommends ${missing[*]}"
        root=(sudo)
    fi
    say "installing from Debian: ${missing[*]} ($why)"
    local install=("${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends --no-remove "${missing[@]}")
    "${install[@]}" >/dev/null 2>&1 && return 0
    "${root[@]}" apt-get update -q >&2 || fail "apt-get update failed; check the machine's package sources"
    "${install[@]}" >&2 || fail "apt-get could not install: ${missing[*]}"
}

# build PROJECT... : Release, once each, quiet unless it fails.
build() {
    local project started=$SECONDS
    for project in "$@"; do
        say "building $project (a first build also restores packages and takes about a minute)"
        dotnet build "$project" -c Release -nologo -v quiet -nodeReuse:false -clp:NoSummary >&2 ||
            fail "the build of $project failed; the lines above say where"
    done
    say "built in $((SECONDS - started)) s"
}

rig() { exec dotnet tests/PhysSec.Rig/bin/Release/net10.0/physsec-rig.dll "$@"; }

demo() {
    local broker=embedded story='' ups='' previous='' it
    for it in "$@"; do
        [[ $previous == --broker ]] && broker=$it
        [[ $it == --broker=* ]] && broker=${it#--broker=}
        [[ $it == --story ]] && story=1
        [[ $it == --ups ]] && ups=1
        previous=$it
    done
    need_sdk
    need_packages "a real mail server receives the alarms' e-mails, and the register is printed in Japanese" exim4-daemon-light fonts-ipaexfont-gothic
    [[ $broker == mosquitto ]] && need_packages "the broker that --broker mosquitto asks for" mosquitto
    [[ $story ]] && need_packages "the story reads the live topics as a stranger's program would" mosquitto-clients
    [[ $story || $ups ]] && need_packages "a real upsd reports mains and battery" nut-server
    build tests/PhysSec.Rig
    rig demo "$@"
}

# offline COMMAND... : in a network namespace with loopback alone, as this user; where none can be made, as it is, and said.
offline() {
    local up='ip link set lo up && exec "$@"' root=()
    ((EUID == 0)) || root=(sudo -n)
    if command -v unshare ip >/dev/null && "${root[@]}" unshare -n true 2>/dev/null; then
        ((EUID == 0)) || up="ip link set lo up && exec setpriv --reuid $EUID --regid $(id -g) --init-groups \"\$@\""
        "${root[@]}" unshare -n env PATH="$PATH" HOME="$HOME" PHYSSEC_OFFLINE=1 sh -c "$up" sh "$@"
    else
        say "no network namespace can be made here (root, or sudo without a password): the system tests run with this machine's network"
        "$@"
    fi
}

# Runs test projects and ends with "N passed, N failed"; fails when a test failed or when none ran.
run_tests() {
    local project
    for project in "$@"; do
        say "testing $project"
        $([[ $project == *SystemTests ]] && echo offline) dotnet test --project "$project" -c Release --no-build --ansi off --progress off --results-directory .artefacts/results 2>&1 || echo "run of $project ended with an error"
    done | awk '
        { print; fflush() }
        /^Test run summary:/ { summaries++ }
        summaries && /^ +succeeded: [0-9]+/ { passed += $2 }
        summaries && /^ +failed: [0-9]+/ { failed += $2 }
        /^run of .* ended with an error$/ { broken++ }
        END {
            if (broken && !failed) failed = broken
            printf "%d passed, %d failed\n", passed, failed
            exit (passed && !failed ? 0 : 1)
        }'
}

run_all_tests() {
    need_sdk
    case ${1-} in
        --fast)
            need_packages "the register is printed in Japanese" fonts-ipaexfont-gothic
            build tests/PhysSec.Tests && run_tests tests/PhysSec.Tests
            ;;
        '')
            need_packages "real peers and a real browser for the system tests" \
                exim4-daemon-light mosquitto mosquitto-clients nut-server swtpm chromium fonts-noto-cjk fonts-ipaexfont-gothic poppler-utils iproute2 golang-go golang-golang-x-mod-dev gcc libc6-dev
            build tests/PhysSec.Tests tests/PhysSec.SystemTests tests/PhysSec.Benchmarks tests/PhysSec.VmGuest # What no test runs must at least build.
            run_tests tests/PhysSec.Tests tests/PhysSec.SystemTests
            ;;
        --vm) vm_tests "${@:2}" ;;
        *) fail "test knows only --fast and --vm, not '$1'" 64 ;;
    esac
}

# A test that did not run is not a passed one: exit 3, unless whoever calls says that this machine may skip it.
vm_skipped() {
    printf 'SKIPPED: the virtual machine cannot run here: %s\n' "$1"
    [[ ${PHYSSEC_VM_MAY_SKIP-} == 1 ]] && exit 0
    exit 3
}

# publish_native PROJECT RUNTIME FOLDER [OPTIONS]: one native program. Any warning stops it but one: System.Device.Gpio marshals structures of plain numbers in a
# generic method that the trimmer cannot see through (IL2091 in UnmanagedArray`1, shown as IL2104 for the package); nothing of them is trimmed.
publish_native() {
    local said rc=0
    said=$(dotnet publish "$1" -c Release -r "$2" -p:PublishAot=true -p:WarningsNotAsErrors='IL2104%3BNU1901%3BNU1902%3BNU1903%3BNU1904' -nologo -v quiet -nodeReuse:false -o "$3" "${@:4}" 2>&1) || rc=$?
    said=$(sed -e '/System\.Device\.Gpio\.dll : warning IL2104/d' -e '/^[[:space:]]*$/d' <<<"$said")
    [[ -z $said ]] || printf '%s\n' "$said" >&2
    [[ $rc == 0 ]] && ! grep -v 'warning NU190[1-4]' <<<"$said" | grep -q . && return 0 # A package's published weakness is told and stops no test.
    fail "$1 could not be published for $2 without a warning; the lines above say where"
}

# The two kinds of node that can be installed on this machine's kind of processor, for the benchmark that compares them.
publish_nodes() {
    local folder=.artefacts/bench runtime
    case $(uname -m) in
        x86_64) runtime=linux-x64 ;;
        aarch64) runtime=linux-arm64 ;;
        *) fail "there is no native node for $(uname -m)" ;;
    esac
    need_packages "a native program is linked" clang lld zlib1g-dev
    rm -rf "$folder"
    say "publishing the node twice: native and for the shared runtime (two minutes)"
    publish_native firmware/PhysSec.Node "$runtime" "$folder/native"
    dotnet publish firmware/PhysSec.Node -c Release -r "$runtime" --no-self-contained -nologo -v quiet -nodeReuse:false -o "$folder/framework" >&2 ||
        fail "the framework-dependent node could not be published; the lines above say where"
}

# physsec-verify as an auditor gets it, one native file: builds it if need be.
native_verify() {
    local folder=.artefacts/verify
    if [[ ! -x $folder/physsec-verify || -n $(find hub/PhysSec.Verify hub/PhysSec.Core -name '*.cs' -newer "$folder/physsec-verify" -print -quit) ]]; then
        need_sdk
        need_packages "a native program is linked" clang lld zlib1g-dev
        say "building physsec-verify (a minute, the first time)"
        publish_native hub/PhysSec.Verify "linux-$([[ $(uname -m) == aarch64 ]] && echo arm64 || echo x64)" "$folder"
    fi
}

verify() {
    local folder here=$OLDPWD
    native_verify
    folder=$(readlink -f .artefacts/verify)
    cd "$here"
    exec "$folder/physsec-verify" "$@"
}

# sources_of FOLDER... : a fingerprint of everything that a program from these folders is built from.
sources_of() {
    { dotnet --version; find "$@" -type d \( -name bin -o -name obj \) -prune -o -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum; sha256sum Directory.* global.json deploy.sh; } | sha256sum
}

# The programs, their units and their installer under a real systemd.
deploy_tests() {
    local folder=$PWD/.artefacts/deploy-guest sources
    need_sdk
    [[ $(uname -m) == x86_64 ]] || vm_skipped "the Debian guest of the deployment is x86-64 and this machine is $(uname -m)"
    (need_packages "a Debian guest with systemd and sshd" mmdebstrap swtpm qemu-system-x86 e2fsprogs openssh-client iproute2 clang lld zlib1g-dev) ||
        vm_skipped "packages are missing and cannot be installed"
    mkdir -p "$folder"
    RELEASE_KEY=$folder/release-key
    [[ -s $RELEASE_KEY ]] || new_key </dev/null
    sources=$(sources_of hardware firmware hub tests/PhysSec.Rig)
    if [[ ! -s $folder/one.tar.gz || ! -x $folder/rig/physsec-rig || $sources != "$(cat "$folder/sources" 2>/dev/null)" ]]; then
        rm -rf "$folder/sources" "$folder/rig"
        (bundle --arch x64 --version 0.1.0-1 -o "$folder/one.tar.gz") >/dev/null
        publish_with_runtime tests/PhysSec.Rig x64 "$folder/rig" -p:DebugType=none --artifacts-path "$PWD/.artefacts/publish-x64"
        echo "$sources" >"$folder/sources"
    fi
    PHYSSEC_RELEASE_KEY=$RELEASE_KEY tests/vm/deploy-test.sh "$folder" "$@"
}

vm_tests() {
    case ${1-} in
        '') ./deploy.sh test --vm board && exec ./deploy.sh test --vm deploy ;;
        board) board_tests "${@:2}" ;;
        deploy) deploy_tests "${@:2}" ;;
        -*) board_tests "$@" ;;
        *) fail "test --vm knows board and deploy, not '$1'" 64 ;;
    esac
}

# The program that ships, on a real kernel's lines and buses. The unit tests cover the rest.
board_tests() {
    local folder=.artefacts/vm started=$SECONDS rc=0 cache=cold
    [[ -f $folder/kernel/ready && -f $folder/node/physsec-node && -f $folder/guest/vm-guest ]] && cache=warm
    command -v apt-get >/dev/null || vm_skipped "there is no apt-get: it is made of Debian's packages"
    (. /etc/os-release && [[ ${VERSION_CODENAME-} == bookworm ]]) || vm_skipped "its kernel and modules are Debian 12's (bookworm), and this is another system"
    (need_packages "a virtual machine with Debian's arm64 kernel, and the linker for arm64" qemu-system-arm gcc-12-aarch64-linux-gnu gcc-aarch64-linux-gnu \
        libc6-dev-arm64-cross clang lld make cpio xz-utils libelf1) || vm_skipped "packages are missing and cannot be installed"
    command -v qemu-system-aarch64 >/dev/null || vm_skipped "there is no qemu-system-aarch64"
    tests/vm/kernel.sh "$folder/kernel" || { rc=$?; ((rc == 2)) && vm_skipped "Debian's arm64 packages cannot be fetched"; fail "the kernel modules could not be built"; }
    local sources
    sources=$(sources_of hardware firmware hub/PhysSec.Core tests/PhysSec.VmGuest)
    if [[ $cache == cold || $sources != "$(cat "$folder/sources" 2>/dev/null)" ]]; then
        rm -f "$folder/sources"
        say "publishing the node and the guest program for linux-arm64 (minutes, the first time)"
        publish_native firmware/PhysSec.Node linux-arm64 "$folder/node"
        publish_native tests/PhysSec.VmGuest linux-arm64 "$folder/guest"
        echo "$sources" >"$folder/sources"
    fi
    say "prepared in $((SECONDS - started)) s with a $cache cache"
    tests/vm/run.sh "$folder/node" "$folder/guest" "$folder/kernel" "$@" || rc=$?
    say "$((SECONDS - started)) s in all with a $cache cache"
    return "$rc"
}
# shellcheck source=hub/deploy/bundle.sh
. hub/deploy/bundle.sh
# shellcheck source=hub/deploy/remote.sh
. hub/deploy/remote.sh

# One function, read whole before it runs: a pull that changes this file meanwhile changes nothing of this run.
main() {
    local verb=${1:-help}
    shift || true
    case $verb in
        demo) demo "$@" ;;
        sim)
            need_sdk
            [[ -f tests/PhysSec.Rig/bin/Release/net10.0/physsec-rig.dll ]] || build tests/PhysSec.Rig
            rig sim "$@"
            ;;
        test) run_all_tests "$@" ;;
        bench)
            need_sdk
            build tests/PhysSec.Benchmarks
            [[ " $* " == *" node "* ]] && publish_nodes
            [[ " $* " == *" record "* ]] && native_verify
            exec dotnet tests/PhysSec.Benchmarks/bin/Release/net10.0/PhysSec.Benchmarks.dll "$@"
            ;;
        soak)
            need_sdk
            if [[ ${1-} == record || ${1-} == readers ]]; then
                build tests/PhysSec.Tests
                exec dotnet tests/PhysSec.Tests/bin/Release/net10.0/PhysSec.Tests.dll soak "$@"
            fi
            need_packages "a real mail server receives the alarms' e-mails" exim4-daemon-light
            [[ ${1-} == faults ]] && need_packages "an external broker, a disk that fails on order and one that forgets" mosquitto gcc libc6-dev nbdkit libnbd-bin fuse3 e2fsprogs mount
            build tests/PhysSec.Rig
            rig soak "${@:-kill}"
            ;;
        verify) verify "$@" ;;
        bundle) bundle "$@" ;;
        hub | node) put "$verb" "$@" ;;
        status | rollback | remove) ask_target "$verb" "$@" ;;
        help | -h | --help) help ;;
        *)
            help >&2
            fail "there is no verb '$verb'" 64
            ;;
    esac
}
main "$@"; exit
