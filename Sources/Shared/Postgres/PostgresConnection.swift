import CPostgres
import DequeModule

/// One `PGconn` and what is under way on it. Lives on the loop's thread only.
///
/// After connecting it stays in pipeline mode: each request is a group of steps closed by a Sync, so that an error in
/// one group leaves its neighbours alone and a first use (prepare + execute) is still one round trip.
final class PostgresConnection {
    /// What the server's next results belong to, in the order they were sent.
    enum Step {
        case prepare(PostgresStatementKey)
        /// `begin`, a setting, the unnamed statement: must succeed, its result is of no interest.
        case prelude
        case deallocate
        case main(PostgresStatementKey)
        case sync(PostgresRequest, attempt: Int)
        case script(PostgresRequest)
        case listen([PostgresSubscription])
    }

    /// What a round of reading has brought for the callers.
    enum Outcome {
        case finished(PostgresRequest, attempt: Int, Result<PostgresRows, PostgresError>)
        case listening([PostgresSubscription])
    }

    /// Never reused, so that a late event for a closed connection finds nobody.
    let id: UInt64
    /// Its place in the pool; nil for the one that listens.
    let slot: Int?
    let pg: OpaquePointer
    var isConnected = false
    /// When the loop gives up on connecting or on the statement at the head; nanoseconds.
    var deadline = UInt64.max
    var lease: PostgresLease?
    var hasBegun = false
    /// Set when the session is no longer in a known state; it is closed instead of reused.
    var mustRetire = false
    var inflight: Deque<Step> = []
    var statements: PostgresStatements
    /// What epoll watches: the descriptor, which libpq may change while connecting, and the events.
    var watched: (descriptor: Int32, events: UInt32)?

    private var rows: PostgresRows?
    private var error: PostgresError?
    private var lostStep = false

    init(id: UInt64, slot: Int?, pg: OpaquePointer, statementsMax: Int) {
        self.id = id
        self.slot = slot
        self.pg = pg
        statements = PostgresStatements(limit: statementsMax)
    }

    deinit { PQfinish(pg) }

    /// libpq's own words for what went wrong; never contain the password.
    var lastMessage: String {
        String(cString: PQerrorMessage(pg)).split(separator: "\n").joined(separator: "; ")
    }

    var isBroken: Bool { PQstatus(pg) == CONNECTION_BAD || lostStep }

    /// Whether the next caller would find the session as a new one.
    var isClean: Bool {
        !mustRetire && !isBroken && inflight.isEmpty && PQtransactionStatus(pg) == PQTRANS_IDLE
    }

    /// Takes the results that have arrived without ever waiting for one (`PQgetResult` would, while `PQisBusy`).
    func receive(_ deliver: (Outcome) -> Void) {
        var emptyResults = 0
        while let step = inflight.first, PQisBusy(pg) == 0, emptyResults < 8 {
            if let pointer = PQgetResult(pg) {
                emptyResults = 0
                note(PostgresResult(owning: pointer), of: step, deliver)
            } else {
                emptyResults += 1
                end(step, deliver)
            }
            if PQstatus(pg) == CONNECTION_BAD { return }
        }
        lostStep = lostStep || emptyResults >= 8
    }

    /// A result: kept until the step's group ends. `PGRES_PIPELINE_SYNC` is that end and is not followed by a null.
    private func note(_ result: consuming PostgresResult, of step: Step, _ deliver: (Outcome) -> Void) {
        switch result.status {
        case PGRES_PIPELINE_SYNC: finishGroup(deliver)
        case PGRES_FATAL_ERROR: noteError(result, of: step)
        case PGRES_PIPELINE_ABORTED: if case .prepare(let key) = step { statements.forget(key) }
        case PGRES_COPY_IN, PGRES_COPY_OUT, PGRES_COPY_BOTH: lostStep = true
        default: noteRows(result, of: step)
        }
    }

    private func noteRows(_ result: consuming PostgresResult, of step: Step) {
        switch step {
        case .main, .script: rows = PostgresRows(result)
        case .prepare(let key): statements.confirm(key)
        case .prelude, .deallocate, .sync, .listen: break
        }
    }

    private func noteError(_ result: borrowing PostgresResult, of step: Step) {
        let failure = result.error
        error = error ?? failure
        switch step {
        case .prepare(let key): statements.forget(key)
        case .main(let key):
            if failure.isStaleStatement { statements.forget(key) }
            // The server still has the statement under its old name.
            if failure.routine == PostgresError.changedPlanRoutine { mustRetire = true }
        case .deallocate, .listen: mustRetire = true
        case .prelude, .sync, .script: break
        }
    }

    /// A null result: the step has no more of them.
    private func end(_ step: Step, _ deliver: (Outcome) -> Void) {
        switch step {
        case .sync: break
        case .script(let request):
            inflight.removeFirst()
            lostStep = lostStep || PQenterPipelineMode(pg) == 0
            deliver(.finished(request, attempt: 1, takeOutcome()))
        case .listen(let subscriptions):
            inflight.removeFirst()
            if error == nil { deliver(.listening(subscriptions)) }
        case .prepare, .prelude, .deallocate, .main: inflight.removeFirst()
        }
    }

    private func finishGroup(_ deliver: (Outcome) -> Void) {
        guard case .sync(let request, let attempt)? = inflight.popFirst() else {
            lostStep = true
            return
        }
        deliver(.finished(request, attempt: attempt, takeOutcome()))
    }

    private func takeOutcome() -> Result<PostgresRows, PostgresError> {
        defer { (rows, error) = (nil, nil) }
        if let error { return .failure(error) }
        return rows.map { .success($0) } ?? .failure(PostgresError(.connection, "the server sent no result"))
    }

    /// The notifications that have arrived.
    func notifications() -> [(channel: String, payload: String)] {
        var found: [(String, String)] = []
        while let notification = PQnotifies(pg) {
            found.append((String(cString: notification.pointee.relname), String(cString: notification.pointee.extra)))
            PQfreemem(notification)
        }
        return found
    }
}
