import CPostgres

/// How a request becomes steps on the wire. Each function is false if libpq refused, which means nothing more was sent
/// and the connection is to be given up.
extension PostgresConnection {
    /// Sends a request as one group: what must come before it, the statement, a Sync.
    func send(_ request: PostgresRequest, attempt: Int) -> Bool {
        if case .script = request.purpose { return sendScript(request) }
        for prelude in preludes(for: request) {
            guard sendPrepared(SQL(stringLiteral: prelude), as: { _ in .prelude }) else { return false }
        }
        guard sendPrepared(request.sql, as: Step.main), PQpipelineSync(pg) == 1 else { return false }
        inflight.append(.sync(request, attempt: attempt))
        return true
    }

    /// `begin` travels with the first statement of a transaction, so it costs no round trip.
    private func preludes(for request: PostgresRequest) -> [String] {
        let relaxed = "select set_config('synchronous_commit', 'off', true)"
        guard let lease else { return request.durability == .relaxed ? [relaxed] : [] }
        guard !hasBegun else { return [] }
        hasBegun = true
        return lease.durability == .relaxed ? ["begin", relaxed] : ["begin"]
    }

    private func sendPrepared(_ sql: SQL, as step: (PostgresStatementKey) -> Step) -> Bool {
        let key = PostgresStatementKey(sql)
        let name: String
        switch statements.use(key) {
        case .prepared(let known): name = known
        case .unprepared(let new, let evicted):
            name = new
            if let evicted, !sendDeallocate(evicted) { return false }
            guard sendPrepare(name, key) else { return false }
            inflight.append(.prepare(key))
        case .unsettled:
            name = ""
            guard sendPrepare(name, key) else { return false }
            inflight.append(.prelude)
        }
        guard sendExecute(name, sql.binds) else { return false }
        inflight.append(step(key))
        return true
    }

    private func sendPrepare(_ name: String, _ key: PostgresStatementKey) -> Bool {
        PQsendPrepare(pg, name, key.text, Int32(key.types.count), key.types) == 1
    }

    /// libpq 15 has no function for the protocol's Close message.
    private func sendDeallocate(_ name: String) -> Bool {
        guard PQsendQueryParams(pg, "deallocate \(name)", 0, nil, nil, nil, nil, 1) == 1 else { return false }
        inflight.append(.deallocate)
        return true
    }

    private func sendExecute(_ name: String, _ binds: PostgresBinds) -> Bool {
        guard binds.count > 0 else { return PQsendQueryPrepared(pg, name, 0, nil, nil, nil, 1) == 1 }
        return binds.bytes.withUnsafeBufferPointer { buffer in
            // libpq takes a null pointer for SQL NULL, so that an empty value needs some other address.
            let start = UnsafeRawPointer(buffer.baseAddress) ?? UnsafeRawPointer(bitPattern: 1)
            var values: [UnsafePointer<CChar>?] = []
            var lengths: [Int32] = []
            values.reserveCapacity(binds.count)
            lengths.reserveCapacity(binds.count)
            var offset = 0
            for slot in binds.slots {
                values.append(slot.isNull ? nil : (start.map { $0 + offset })?.assumingMemoryBound(to: CChar.self))
                lengths.append(Int32(slot.end - offset))
                offset = slot.end
            }
            let formats = [Int32](repeating: 1, count: binds.count)
            return PQsendQueryPrepared(pg, name, Int32(binds.count), values, lengths, formats, 1) == 1
        }
    }

    /// Several statements in one text need the simple protocol, which libpq has outside pipeline mode only.
    private func sendScript(_ request: PostgresRequest) -> Bool {
        let text = hasBegun ? request.sql.text : "begin; " + request.sql.text
        hasBegun = true
        guard PQexitPipelineMode(pg) == 1, PQsendQuery(pg, text) == 1 else { return false }
        inflight.append(.script(request))
        return true
    }

    /// Starts listening for the channels of some subscriptions.
    func sendListen(_ subscriptions: [PostgresSubscription]) -> Bool {
        let channels = Set(subscriptions.flatMap(\.channels)).sorted()
        let text = channels.map { "listen \"\($0.replacing("\"", with: "\"\""))\"" }
        guard PQsendQuery(pg, text.joined(separator: "; ")) == 1 else { return false }
        inflight.append(.listen(subscriptions))
        return true
    }
}
