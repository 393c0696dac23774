import CPostgres

/// Requests on their way: accepted, sent, answered, abandoned, lost.
extension PostgresLoop {
    func accept(_ request: PostgresRequest) {
        switch request.purpose {
        case .read: enqueue(.request(request, attempt: 1), role: .reader)
        case .query: enqueue(.request(request, attempt: 1), role: .leased)
        case .leased(let lease), .script(let lease): sendLeased(request, lease)
        case .end(let lease, let commits): end(request, lease, commits: commits)
        }
    }

    func enqueue(_ waiter: PostgresWaiter, role: PostgresPool<PostgresWaiter>.Role) {
        guard pool.enqueue(waiter, role: role, now: now) else {
            return refuse(waiter, PostgresError(.poolExhausted, "\(settings.waitersMax) callers wait already"))
        }
    }

    private func sendLeased(_ request: PostgresRequest, _ lease: PostgresLease) {
        guard let connection = leases[ObjectIdentifier(lease)] else {
            let error = PostgresError(.connection, "the transaction is over or its connection was lost")
            return request.reply.settle(.failure(error))
        }
        if case .script = request.purpose, !connection.inflight.isEmpty {
            return request.reply.settle(.failure(PostgresError(.encoding, "a script must run alone")))
        }
        if request.reply.claim() { send(request, attempt: 1, on: connection) }
    }

    /// The last statement of a transaction. A rollback that finds a statement still running drops the connection.
    private func end(_ request: PostgresRequest, _ lease: PostgresLease, commits: Bool) {
        guard let connection = leases[ObjectIdentifier(lease)] else {
            let lost = PostgresError(.connection, "the transaction's connection was lost before it could commit")
            return request.reply.settle(commits ? .failure(lost) : .success(.none))
        }
        if !connection.hasBegun {
            release(connection)
            request.reply.settle(.success(.none))
        } else if !commits, !connection.inflight.isEmpty {
            stop(connection, PostgresError(.cancelled, "the transaction was rolled back"))
            request.reply.settle(.success(.none))
        } else if request.reply.claim() {
            send(request, attempt: 1, on: connection)
        }
    }

    func send(_ request: PostgresRequest, attempt: Int, on connection: PostgresConnection) {
        let wasIdle = connection.inflight.isEmpty
        guard connection.send(request, attempt: attempt) else {
            return refused(request, attempt: attempt, on: connection)
        }
        if wasIdle { startClock(connection) }
        flush(connection)
    }

    /// libpq did not take the request, so it never reached the server as a whole (there is no Sync behind it).
    private func refused(_ request: PostgresRequest, attempt: Int, on connection: PostgresConnection) {
        let error = PostgresError(.connection, connection.lastMessage)
        drop(connection, error)
        retry(request, attempt: attempt, after: error)
    }

    private func retry(_ request: PostgresRequest, attempt: Int, after error: PostgresError) {
        guard attempt < Self.attemptsMax, !request.reply.isSettled, request.lease == nil else {
            return request.reply.settle(.failure(error))
        }
        pool.requeue(.request(request, attempt: attempt + 1), role: request.isRead ? .reader : .leased, now: now)
    }

    /// Pushes out what libpq has buffered; waits for writing too while some is left (`PQflush` is 1).
    func flush(_ connection: PostgresConnection) {
        switch PQflush(connection.pg) {
        case 0: watch(connection, PostgresEpoll.input)
        case 1: watch(connection, PostgresEpoll.input | PostgresEpoll.output)
        default:
            // The server may have said why before it hung up; the next read finds out.
            watch(connection, PostgresEpoll.input)
        }
    }

    /// Something arrived, or there is room to write.
    func exchange(_ connection: PostgresConnection) {
        let isAlive = PQconsumeInput(connection.pg) == 1
        var outcomes: [PostgresConnection.Outcome] = []
        connection.receive { outcomes.append($0) }
        for outcome in outcomes { deliver(outcome, from: connection) }
        for (channel, payload) in connection.notifications() { listener.hear(channel: channel, payload: payload) }
        guard connections[connection.id] != nil else { return }
        if !isAlive || connection.isBroken || (connection.slot == nil && connection.mustRetire) {
            let error = PostgresError(.connection, connection.lastMessage)
            logger.warning("lost a connection to PostgreSQL", metadata: ["error": "\(error.message)"])
            drop(connection, error)
        } else if connection.watched?.events != PostgresEpoll.input {
            flush(connection)
        }
    }

    private func deliver(_ outcome: PostgresConnection.Outcome, from connection: PostgresConnection) {
        switch outcome {
        case .listening(let subscriptions):
            startClock(connection)
            for subscription in subscriptions { subscription.hear(.listening) }
        case .finished(let request, let attempt, let result):
            startClock(connection)
            settle(request, attempt: attempt, result, from: connection)
        }
    }

    private func settle(
        _ request: PostgresRequest, attempt: Int, _ result: Result<PostgresRows, PostgresError>,
        from connection: PostgresConnection
    ) {
        switch request.purpose {
        case .read, .query, .end: release(connection, after: request)
        case .leased, .script: break
        }
        switch result {
        case .failure(let error) where error.isStaleStatement && request.lease == nil:
            retry(request, attempt: attempt, after: error)
        case .failure(let error): request.reply.settle(.failure(error.named))
        case .success(let rows): request.reply.settle(.success(rows))
        }
    }

    private func release(_ connection: PostgresConnection, after request: PostgresRequest) {
        if case .read = request.purpose {
            if let slot = connection.slot { pool.finished(slot: slot) }
            if connection.mustRetire, connection.inflight.isEmpty { retire(connection) }
        } else {
            release(connection)
        }
    }

    /// Gives a leased connection back, if the next caller would find it as new; else closes it.
    func release(_ connection: PostgresConnection) {
        guard connections[connection.id] != nil else { return }
        if let lease = connection.lease { leases[ObjectIdentifier(lease)] = nil }
        connection.lease = nil
        guard connection.isClean else { return retire(connection) }
        if let slot = connection.slot { pool.finished(slot: slot) }
    }

    private func retire(_ connection: PostgresConnection) {
        drop(connection, PostgresError(.connection, "the session was closed"))
    }

    /// The clock of the statement that the server now works on.
    private func startClock(_ connection: PostgresConnection) {
        for step in connection.inflight {
            switch step {
            case .sync(let request, _), .script(let request):
                let limit = (request.limit ?? settings.statementTimeout) + PostgresSettings.clientSlack
                connection.deadline = now + limit.nanoseconds
                return
            default: continue
            }
        }
        connection.deadline = .max
    }

    // MARK: Ending early

    /// The task that asked is gone. A read is left to finish, unheard; anything else is stopped, with its connection.
    func abandon(_ request: PostgresRequest) {
        pool.withdraw(.request(request, attempt: 0))
        guard !request.isRead else { return }
        let connection = connections.values.first { connection in
            connection.inflight.contains { step in
                switch step {
                case .sync(let other, _), .script(let other): other === request
                default: false
                }
            }
        }
        if let connection { stop(connection, PostgresError(.cancelled, "a statement beside it was cancelled")) }
    }

    func abandonLease(_ lease: PostgresLease) {
        pool.withdraw(.lease(lease))
        if let connection = leases[ObjectIdentifier(lease)] { release(connection) }
    }

    /// Asks the server to stop what runs on a connection and closes it: nobody can get a late cancellation.
    func stop(_ connection: PostgresConnection, _ error: PostgresError) {
        if !connection.inflight.isEmpty, let cancel = PostgresCancelRequest(connection.pg) { canceller.cancel(cancel) }
        drop(connection, error)
    }

    /// Answers everybody on a connection that is gone. The first in line is who the error is about; reads behind it,
    /// and at it unless it ran too long, are sent again elsewhere.
    func failInflight(_ connection: PostgresConnection, _ error: PostgresError, mayRetry: Bool = true) {
        var isFirst = true
        for step in connection.inflight {
            switch step {
            case .sync(let request, let attempt):
                let isCulprit = isFirst && error.kind == .timeout
                isFirst = false
                fail(request, attempt: attempt, error, mayRetry: mayRetry && !isCulprit)
            case .script(let request): fail(request, attempt: 1, error, mayRetry: false)
            case .prepare, .prelude, .deallocate, .main, .listen: break
            }
        }
        connection.inflight = []
    }

    private func fail(_ request: PostgresRequest, attempt: Int, _ error: PostgresError, mayRetry: Bool) {
        guard !(request.isRead && mayRetry) else { return retry(request, attempt: attempt, after: error) }
        var error = error
        error.outcomeUnknown = request.outcomeUnknownWhenLost
        request.reply.settle(.failure(error))
    }
}

extension PostgresRows {
    /// No rows, for a statement that did not have to be sent.
    static var none: PostgresRows { PostgresRows(PostgresResult(owning: PQmakeEmptyPGresult(nil, PGRES_COMMAND_OK))) }
}

extension PostgresError {
    /// The prepared statement is gone or no longer fits its tables; nothing was carried out. PostgreSQL has one code
    /// for every unsupported feature; the changed plan is recognised by the function that raised it.
    var isStaleStatement: Bool { sqlState == "26000" || routine == Self.changedPlanRoutine }

    /// SQLSTATE 57014 without a cancellation of ours is the server's `statement_timeout`.
    fileprivate var named: PostgresError {
        var error = self
        if sqlState == "57014" { error.kind = .timeout }
        return error
    }
}
