# Sourced: which TCP ports of this machine are free.

port_taken() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# Below the range that the kernel hands out for outgoing connections, so that none of those takes it in between.
free_port() {
    local candidate
    for _ in $(seq 50); do
        candidate=$((20000 + RANDOM % 12000))
        port_taken "$candidate" || { echo "$candidate"; return; }
    done
    echo "found no free port" >&2
    return 1
}
