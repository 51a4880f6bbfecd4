# shellcheck shell=bash
# Sourced by deploy.sh: brings a bundle to a machine and asks its physsec-install to act. ~/.ssh/config is honoured; PHYSSEC_SSH adds options
# (PHYSSEC_SSH='-p 2222 -i key'). The user is root or may use sudo without a password.

remote() { # remote HOST COMMAND... : as root
    local host=$1 words
    shift
    printf -v words '%q ' "$@"
    # shellcheck disable=SC2086
    ssh -o BatchMode=yes -o ConnectTimeout=15 -o ServerAliveInterval=10 ${PHYSSEC_SSH-} -- "$host" \
        "if [ \"\$(id -u)\" = 0 ]; then exec $words; else exec sudo -n $words; fi"
}

reachable() {
    remote "$1" true || fail "$1 cannot be reached by ssh without a password, as root or with sudo -n; try: ssh $1 true" 69
}

# One deployment at a time from this machine, and one for each site: two nodes of one zone are never down together by our own hand.
site_lock() {
    local folder=${XDG_CONFIG_HOME:-$HOME/.config}/physsec
    mkdir -p "$folder"
    exec 8>"$folder/site-$1.lock"
    flock -n 8 || fail "another deployment to site '$1' runs on this machine; one after the other" 75
}

# The site's other nodes must be there while this one is away: the hub knows.
others_online() { # others_online HUB_HOST NODE
    local list away
    list=$(remote "$1" runuser -u physsec-hub -- /opt/physsec/hub/current/physsec-hub nodes --state /var/lib/physsec-hub) || fail "the hub at $1 does not say how its nodes are: $list" 69
    away=$(awk -v me="$2" '$1 != me && $2 != "online" && $2 != "degraded" && $2 != "revoked" && $2 != "never-seen" { printf "%s%s (%s)", n++ ? ", " : "", $1, $2 }' <<<"$list")
    [[ -z $away ]] || fail "not now: of the same site $away. Bring that back first, or leave out --hub. 同じサイトの他の制御装置が停止中です。" 75
}

send() { # send HOST FILE REMOTE_FILE
    # shellcheck disable=SC2086
    ssh -o BatchMode=yes -o ConnectTimeout=15 -o ServerAliveInterval=10 ${PHYSSEC_SSH-} -- "$1" "cat > $3" <"$2" || fail "$(basename "$2") could not be sent to $1" 69
}

put() { # put ROLE HOST [--bundle FILE] [--hub HOST] [OPTIONS OF physsec-install]
    local role=$1 host=${2-} file='' hub='' options=() folder arch name first code=0
    [[ $host && $host != -* ]] || fail "say which machine: ./deploy.sh $role HOST" 64
    shift 2
    while (($#)); do
        case $1 in
            --bundle | --hub | --site | --wait | --limit) (($# > 1)) || fail "$1 has no value" 64 ;;&
            --bundle) file=$2; shift ;;
            --hub) hub=$2; shift ;;
            --site | --wait | --limit) options+=("$1" "$2"); shift ;;
            --dry-run | --even-open) options+=("$1") ;;
            *) fail "$role does not know '$1'" 64 ;;
        esac
        shift
    done
    reachable "$host"
    arch=$(remote "$host" uname -m)
    case $arch in aarch64) arch=arm64 ;; x86_64) arch=x64 ;; *) fail "$host is $arch; there are bundles for arm64 and x64" 65 ;; esac
    if [[ ! $file ]]; then file=$(bundle --arch "$arch" | tail -n 1); fi
    [[ -f $file && -f $file.sig ]] || fail "there is no $file with its signature beside it" 66
    if [[ $role == node ]]; then
        local said site=unknown node=''
        said=$(remote "$host" sh -c '/opt/physsec/node/current/physsec-node status --json 2>/dev/null; true')
        [[ $said ]] && site=$(sed -n 's/^ *"site": "\([a-z0-9-]*\)".*/\1/p' <<<"$said") && node=$(sed -n 's/^ *"node": "\([a-z0-9-]*\)".*/\1/p' <<<"$said")
        site_lock "${site:-unknown}"
        [[ ! $hub ]] || others_online "$hub" "$node"
    else
        site_lock "hub-$host"
        options+=(--name "${host##*@}")
    fi

    folder=$(remote "$host" mktemp -d /var/tmp/physsec-XXXXXX)
    [[ $folder == /var/tmp/physsec-* ]] || fail "$host did not say where to put the bundle" 69
    remote "$host" sh -c "chown \"\${SUDO_USER:-root}\" $folder"
    name=$(basename "$file")
    say "sending $name ($(($(stat -c %s "$file") >> 20)) MiB) to $host"
    send "$host" "$file" "$folder/bundle.tar.gz"
    send "$host" "$file.sig" "$folder/bundle.tar.gz.sig"
    first=/usr/local/sbin/physsec-install
    if ! remote "$host" test -x "$first"; then
        # Only the very first time: the installer and the key come from the hand that has root there anyway. Later the target asks what it has.
        send "$host" hub/deploy/physsec-install "$folder/physsec-install"
        send "$host" "$RELEASE_KEY.pub" "$folder/release.pub"
        remote "$host" chmod 755 "$folder/physsec-install"
        first=$folder/physsec-install
        options+=(--signer "$folder/release.pub")
    fi
    remote "$host" "$first" install "$role" "$folder/bundle.tar.gz" "${options[@]}" || code=$?
    remote "$host" rm -rf "$folder" || say "$host:$folder could not be removed"
    return $code
}

# ask_target VERB HOST [node|hub] [OPTIONS] : status, rollback, remove; for both roles when none is named and both are there
ask_target() {
    local verb=$1 host=${2-} roles=() options=() role code=0
    [[ $host && $host != -* ]] || fail "say which machine: ./deploy.sh $verb HOST" 64
    shift 2
    while (($#)); do
        case $verb:$1 in
            *:node | *:hub) roles+=("$1") ;;
            rollback:--dry-run | rollback:--even-open | remove:--dry-run | remove:--even-open | remove:--with-data) options+=("$1") ;;
            *) fail "$verb does not know '$1'" 64 ;;
        esac
        shift
    done
    reachable "$host"
    if ((${#roles[@]} == 0)); then
        for role in node hub; do remote "$host" test -e "/opt/physsec/$role" && roles+=("$role"); done
        ((${#roles[@]})) || fail "$host has no PhysSec" 3
        [[ $verb == status || ${#roles[@]} -eq 1 ]] || fail "$host is node and hub: say which, ./deploy.sh $verb $host node|hub" 64
    fi
    for role in "${roles[@]}"; do remote "$host" /usr/local/sbin/physsec-install "$verb" "$role" "${options[@]}" || code=$?; done
    return $code
}
