# Sourced by deploy/run: starts named parts, starts again what ends by itself, stops all in order.
# A part NAME is the function part_NAME; its output goes to $state/log/NAME.log, of which 20 MB and one predecessor
# are kept.

declare -A part_of=() pid_of=() started_at=() delay_of=() restart_at=()
stopping=0
readonly log_bytes_max=20000000 delay_seconds_max=30 ready_seconds_max=60 grace_seconds=25

# The child gets SIGTERM when this shell dies, however it dies, and a session of its own, so that a Ctrl-C reaches
# this shell alone and the order of stopping is kept.
as_user_dying_with_us() {
    local user=$1
    shift
    local who=()
    [ "$user" = "$(id -un)" ] || who=(--reuid="$user" --regid="$(id -g "$user")" --clear-groups)
    exec setsid setpriv "${who[@]}" --no-new-privs --pdeathsig TERM -- "$@"
}

start_part() {
    local name=$1
    "part_$name" </dev/null >>"$state/log/$name.log" 2>&1 9>&- &
    pid_of[$name]=$! part_of[$!]=$name started_at[$name]=$SECONDS
}

# Waits for an answer below 400 and fails with the last lines of the log if the part ends or takes too long.
wait_ready() {
    local name=$1 url=$2 deadline=$((SECONDS + ready_seconds_max))
    until curl -fsS -o /dev/null --max-time 2 "$url" 2>/dev/null; do
        [ "$stopping" = 0 ] || exit 130
        if ! kill -0 "${pid_of[$name]}" 2>/dev/null || ((SECONDS > deadline)); then
            printf 'parley: %s did not get ready; the end of %s:\n' "$name" "$state/log/$name.log" >&2
            tail -n 20 "$state/log/$name.log" >&2
            exit 1
        fi
        sleep 0.1
    done
}

# Ends when a signal has set "stopping". One that ends by itself is started again, after 1, 2, 4 … 30 s if it ends at
# once. Looked at each second, because of two that end at the same moment "wait -n" tells of one.
supervise() {
    local pid name rounds=0
    while [ "$stopping" = 0 ]; do
        sleep 1 9>&- &
        wait "$!" || true
        [ "$stopping" = 0 ] || return 0
        for pid in "${!part_of[@]}"; do kill -0 "$pid" 2>/dev/null || schedule_restart "$pid"; done
        for name in "${!restart_at[@]}"; do restart_when_due "$name"; done
        rounds=$((rounds + 1))
        ((rounds % 10)) || rotate_logs
    done
}

schedule_restart() {
    local pid=$1 name=${part_of[$1]} delay
    unset "part_of[$pid]" "pid_of[$name]"
    end_group "$pid"
    delay=${delay_of[$name]:-1}
    if ((SECONDS - started_at[$name] > 60)); then delay=1; fi
    delay_of[$name]=$((delay * 2 < delay_seconds_max ? delay * 2 : delay_seconds_max))
    say "$name ended by itself and is started again in $delay s; the end of $state/log/$name.log:"
    tail -n 5 "$state/log/$name.log"
    restart_at[$name]=$((SECONDS + delay))
}

restart_when_due() {
    ((SECONDS >= restart_at[$1])) || return 0
    unset "restart_at[$1]"
    start_part "$1"
}

# What a part that died has left behind (nginx's workers, which still hold the ports): each part leads its own group.
end_group() { kill -KILL -- "-$1" 2>/dev/null || true; }

# The parts append, so the file can be copied and emptied under them.
rotate_logs() {
    local log
    for log in "$state"/log/*.log "$state/nginx/error.log"; do
        [ "$(stat -c %s "$log" 2>/dev/null || echo 0)" -gt "$log_bytes_max" ] || continue
        cp "$log" "$log.1" && : >"$log"
    done
}

# nginx first, so that nothing new comes in; then the services, which finish what they have; PostgreSQL last.
stop_everything() {
    local status=$? job
    trap '' INT TERM HUP
    trap - EXIT
    say "stopping"
    stop_parts QUIT nginx
    stop_parts TERM auth chat-1 chat-2
    stop_parts TERM postgres
    for job in $(jobs -p); do kill "$job" 2>/dev/null || true; done
    "$here/private-postgres" stop "$state/postgres" 2>/dev/null || true
    if [ "$stopping" = 1 ]; then status=0; fi
    say "stopped; the data stays in $state"
    exit "$status"
}

stop_parts() {
    local signal=$1 name deadline=$((SECONDS + grace_seconds))
    shift
    for name in "$@"; do [ -z "${pid_of[$name]:-}" ] || kill -s "$signal" "${pid_of[$name]}" 2>/dev/null || true; done
    for name in "$@"; do
        [ -n "${pid_of[$name]:-}" ] || continue
        while kill -0 "${pid_of[$name]}" 2>/dev/null && ((SECONDS < deadline)); do sleep 0.05; done
        if kill -0 "${pid_of[$name]}" 2>/dev/null; then
            say "$name did not end within $grace_seconds s and is killed"
            end_group "${pid_of[$name]}"
        fi
    done
}
