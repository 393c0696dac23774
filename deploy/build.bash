# Sourced by deploy/run, Tests/bench and Tests/chaos: builds, and says how far it is, so that minutes without a word do
# not look like a hang. On a terminal one line is rewritten all the time; elsewhere a line comes now and then.

# The one set of flags, so that neither of the three builds again what another has built. Debug information would only
# be stripped; the names in a backtrace stay.
release=(-c release --static-swift-stdlib -debug-info-format none)
build_pid="" build_start=0
: "${build_line_seconds:=15}" "${build_stop_seconds:=10}"

# Runs the command: run_build LOG COMMAND…; its output goes to LOG, and all but the steps is shown if it fails.
# Returns what the command returns. It needs the traps of the shell for itself and clears them at its end.
run_build() {
    local log=$1 status=0
    shift
    mkdir -p "$(dirname "$log")"
    build_start=$SECONDS
    trap stop_build EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM HUP
    # Its compilers make process groups of their own, so a Ctrl-C does not reach them. They stay in its session, though.
    setsid setpriv --pdeathsig TERM -- "$@" </dev/null >"$log" 2>&1 9>&- &
    build_pid=$!
    show_build "$log"
    wait "$build_pid" || status=$?
    build_pid=""
    trap - EXIT INT TERM HUP
    if [ "$status" = 0 ]; then
        printf 'built in %s\n' "$(build_time)"
    else
        printf 'the build failed after %s with exit code %s; %s has all of its output\n\n' \
            "$(build_time)" "$status" "$log" >&2
        grep -avE '^\[[0-9]+/[0-9]+\] ' "$log" >&2 || true
    fi
    return "$status"
}

# Returns when the build has ended.
show_build() {
    local log=$1 step line width=0 next=0
    if [ -t 1 ]; then width=$(tput cols 2>/dev/null || echo 80); fi
    while kill -0 "$build_pid" 2>/dev/null; do
        step=$(build_step "$log")
        line="building, $(build_time)  ${step:-starting}"
        if [ "$width" != 0 ]; then
            printf '\r\033[K%s' "${line:0:width-1}"
        elif ((SECONDS >= next)); then
            printf '%s\n' "$line"
            next=$((SECONDS + build_line_seconds))
        fi
        sleep 0.5
    done
    [ "$width" = 0 ] || printf '\r\033[K'
}

# The last thing that the build began: "[12/345] Compiling NIOCore Channel.swift", or a package that it fetches.
build_step() {
    tail -n 50 "$1" | grep -aE '^(\[[0-9]+/[0-9]+\]|Fetch|Updat|Comput|Creating|Building for) ?' | tail -n 1 || true
}

build_time() { printf '%d:%02d' $(((SECONDS - build_start) / 60)) $(((SECONDS - build_start) % 60)); }

# Asks the build to end, and kills what is left of it after a while.
stop_build() {
    local session=$build_pid deadline=$((SECONDS + build_stop_seconds))
    [ -n "$session" ] || return 0
    trap '' INT TERM HUP
    printf '\nstopping the build\n' >&2
    signal_build TERM "$session"
    while [ -n "$(build_processes "$session")" ] && ((SECONDS < deadline)); do sleep 0.1; done
    signal_build KILL "$session"
}

signal_build() {
    local pid
    for pid in $(build_processes "$2"); do kill -s "$1" "$pid" 2>/dev/null || true; done
}

# The processes of a session that have not ended; see proc(5) for the fields.
build_processes() {
    local file line fields
    for file in /proc/[0-9]*/stat; do
        { read -r line <"$file"; } 2>/dev/null || continue
        # The name, in parentheses, may hold anything.
        read -r -a fields <<<"${line##*) }"
        [ "${fields[3]}" != "$1" ] || [ "${fields[0]}" = Z ] || printf '%s\n' "${line%% *}"
    done
}
