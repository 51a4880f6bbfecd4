# shellcheck shell=bash
# Sourced by deploy.sh: makes a signed bundle, and the key that signs it. A bundle is one tar.gz and, beside it, its signature (ssh-keygen -Y, which stands
# wherever sshd does); what is in it and what the target does with it: physsec-install.

RELEASE_KEY=${PHYSSEC_RELEASE_KEY:-${XDG_CONFIG_HOME:-$HOME/.config}/physsec/release-key}

new_key() {
    [[ -e $RELEASE_KEY ]] && fail "$RELEASE_KEY is there already; whoever wants another one moves it away first"
    mkdir -p -m 700 "$(dirname "$RELEASE_KEY")"
    # A passphrase is asked for on a terminal; a build machine without one has an unprotected key, like any key of a machine.
    if [[ -t 0 ]]; then ssh-keygen -q -t ed25519 -C physsec-release -f "$RELEASE_KEY"; else ssh-keygen -q -t ed25519 -C physsec-release -N '' -f "$RELEASE_KEY"; fi
    say "release key: $RELEASE_KEY (secret, back it up) and $RELEASE_KEY.pub (goes to the target at the first install)"
}

publish_with_runtime() { # PROJECT ARCH FOLDER [OPTIONS] : the target needs no .NET of its own
    dotnet publish "$1" -c Release -r "linux-$2" --self-contained -o "$3" -nologo -v quiet -nodeReuse:false -clp:NoSummary "${@:4}" >&2 ||
        fail "$1 did not build; the lines above say where"
}

# bundle [--version V] [--arch arm64|x64] [--node native|jit] [-o FILE] | --new-key
bundle() {
    local version='' arch=arm64 node=native out='' commit stage count
    while (($#)); do
        case $1 in
            --new-key) new_key; return ;;
            --version | --arch | --node | -o) (($# > 1)) || fail "$1 has no value" 64 ;;&
            --version) version=$2; shift ;;
            --arch) arch=$2; shift ;;
            --node) node=$2; shift ;;
            -o) out=$2; shift ;;
            *) fail "bundle does not know '$1'" 64 ;;
        esac
        shift
    done
    [[ $arch == arm64 || $arch == x64 ]] || fail "--arch takes arm64 or x64, not '$arch'" 64
    [[ $node == native || $node == jit ]] || fail "--node takes native or jit, not '$node'" 64
    [[ -s $RELEASE_KEY ]] || fail "there is no release key at $RELEASE_KEY; make one: ./deploy.sh bundle --new-key"
    need_sdk
    commit=$(git rev-parse --short=12 HEAD 2>/dev/null || echo unknown)
    [[ -z $(git status --porcelain 2>/dev/null) ]] || commit+=-changed
    count=$(git rev-list --count HEAD 2>/dev/null || echo 0)
    version=${version:-$(sed -n 's,.*<Version>\(.*\)</Version>.*,\1,p' firmware/PhysSec.Node/PhysSec.Node.csproj)-$count}
    [[ $version =~ ^[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.]+)?$ && ${#version} -le 40 ]] || fail "--version $version: write it like 1.2.3 or 1.2.3-rc1" 64
    out=${out:-.artefacts/physsec-$version-$arch.tar.gz}
    mkdir -p "$(dirname "$out")" .artefacts
    stage=$(mktemp -d .artefacts/stage-XXXXXX)
    # shellcheck disable=SC2064
    trap "rm -rf '$PWD/$stage'" EXIT

    local common=("-p:Version=$version" -p:DebugType=none --artifacts-path "$PWD/.artefacts/publish-$arch")
    say "building the node ($node, $arch) and the hub; a first build takes some minutes"
    if [[ $node == native ]]; then
        need_packages "the node's native program is linked with them" clang lld zlib1g-dev
        if [[ $arch == arm64 && $(uname -m) != aarch64 ]]; then need_packages "the node's native program for arm64" gcc-aarch64-linux-gnu libc6-dev-arm64-cross; fi
        publish_native firmware/PhysSec.Node "linux-$arch" "$stage/node" "${common[@]}"
    else
        publish_with_runtime firmware/PhysSec.Node "$arch" "$stage/node" "${common[@]}"
    fi
    publish_with_runtime hub/PhysSec.Hub "$arch" "$stage/hub" -p:PublishReadyToRun=true "${common[@]}"
    rm -f "$stage"/*/*.{pdb,dbg,xml}
    cp firmware/physsec-node.service "$stage/node/"
    [[ $node == native ]] || sed -i -e 's/^MemoryDenyWriteExecute=yes/MemoryDenyWriteExecute=no/' -e '/^SystemCallFilter=~/a SystemCallFilter=sched_setaffinity' "$stage/node/physsec-node.service"
    cp -r hardware/boards "$stage/node/boards"
    cp hub/physsec-hub.service "$stage/hub/"
    need_packages "the register is printed in Japanese; the font's licence lets it be carried along" fonts-ipaexfont-gothic
    mkdir -p "$stage/hub/fonts"
    cp /usr/share/fonts/opentype/ipaexfont-gothic/ipaexg.ttf "$stage/hub/fonts/"
    cp /usr/share/doc/fonts-ipaexfont-gothic/copyright "$stage/hub/fonts/IPA-font-licence.txt"
    cp hub/deploy/physsec-install README.md "$stage/"
    find "$stage" -type d -exec chmod 755 {} +
    find "$stage" -type f ! -perm /111 -exec chmod 644 {} +
    find "$stage" -type f -perm /111 -exec chmod 755 {} +
    pack "$stage" "$version" "$arch" "$node" "$commit" "$out"
}

# pack STAGE VERSION ARCH NODE COMMIT OUT : manifest, archive, signature. The same content gives the same bytes, except for the day.
pack() {
    local stage=$1 version=$2 arch=$3 node=$4 commit=$5 out=$6
    {
        printf 'physsec-bundle 1\nversion %s\narch %s\ncommit %s\nnode %s\n' "$version" "$arch" "$commit" "$node"
        printf 'built %s\nbytes %s\n' "$(date -u +%F)" "$(du -sb "$stage" | cut -f1)"
        grep -E '^(minimum|revoked) ' "${PHYSSEC_RELEASE:-hub/deploy/release}"
        echo
        (cd "$stage" && find . -type f ! -name 'manifest*' -printf '%P\0' | LC_ALL=C sort -z | xargs -0 sha256sum)
    } >"$stage/manifest.new"
    mv "$stage/manifest.new" "$stage/manifest"
    rm -f "$stage/manifest.sig"
    ssh-keygen -q -Y sign -f "$RELEASE_KEY" -n physsec-manifest "$stage/manifest" || fail "the release key did not sign" # Asked before each start on the target.
    # The manifest first: it is read before anything else.
    (cd "$stage" && tar --sort=name --owner=0 --group=0 --numeric-owner --mtime=@0 -cf - manifest manifest.sig physsec-install README.md node hub) | gzip -n -6 >"$out.new"
    rm -f "$out.sig"
    ssh-keygen -q -Y sign -f "$RELEASE_KEY" -n physsec-bundle "$out.new" || fail "the release key did not sign"
    mv "$out.new" "$out"
    mv "$out.new.sig" "$out.sig"
    cp "$RELEASE_KEY.pub" "$(dirname "$out")/physsec-release.pub"
    cp hub/deploy/physsec-install "$(dirname "$out")/physsec-install"
    say "$out ($(($(stat -c %s "$out") >> 20)) MiB), $out.sig"
    say "without a network: carry both on a USB stick, with physsec-install and physsec-release.pub beside them; on the target, as root:"
    say "  ./physsec-install install node $(basename "$out") --signer physsec-release.pub   (--signer at the first install alone)"
    printf '%s\n' "$out"
}
