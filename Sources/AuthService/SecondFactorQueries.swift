import Shared

/// The second factor of an account, as checking a code needs it.
struct StoredSecondFactor: Sendable {
    let secret: SecretSeal.Sealed
    let isConfirmed: Bool
    let lastStep: Int
    /// The time step of now, by the database's clock, which is the same for every replica.
    let step: Int
}

extension PostgresQuerying {
    func secondFactor(ofUser id: Int) async throws -> StoredSecondFactor? {
        try await read(
            """
            select key_id, sealed_secret, confirmed_at is not null, last_step,
                floor(extract(epoch from clock_timestamp()) / \(Double(TOTP.secondsPerStep)))::bigint
            from auth.second_factors where user_id = \(id)
            """
        ).first.map { row in
            let (keyID, bytes, isConfirmed, lastStep, step) = try row.decode(
                String.self, [UInt8].self, Bool.self, Int.self, Int.self)
            return StoredSecondFactor(
                secret: .init(keyID: keyID, bytes: bytes), isConfirmed: isConfirmed, lastStep: lastStep, step: step)
        }
    }

    /// Makes everybody else who judges a code of this user wait until the transaction ends.
    func lockSecondFactor(ofUser id: Int) async throws {
        try await query("select 1 from auth.second_factors where user_id = \(id) for update")
    }

    func recoveryCodesLeft(ofUser id: Int) async throws -> Int {
        try await read("select count(*) from auth.recovery_codes where user_id = \(id)")[0].decode(Int.self)
    }

    /// Keeps a secret that is still to be confirmed, in place of one that was not.
    /// - Returns: false when a confirmed one is there; nothing has changed then.
    func proposeSecondFactor(_ secret: SecretSeal.Sealed, ofUser id: Int) async throws -> Bool {
        try await !query(
            """
            insert into auth.second_factors as f (user_id, key_id, sealed_secret)
            values (\(id), \(secret.keyID), \(secret.bytes))
            on conflict (user_id) do update set key_id = excluded.key_id, sealed_secret = excluded.sealed_secret,
                last_step = 0, created_at = excluded.created_at
            where f.confirmed_at is null
            returning f.user_id
            """
        ).isEmpty
    }

    /// Turns the factor on and uses up the code of `step` that has shown it to be right.
    /// - Parameter secret: the one that made the code; another one may have been proposed since.
    func confirmSecondFactor(
        ofUser id: Int, secret: SecretSeal.Sealed, step: Int, codes: [RecoveryCode], _ origin: RequestOrigin
    ) async throws -> Bool {
        try await !query(
            """
            with confirmed as (
                update auth.second_factors set confirmed_at = clock_timestamp(), last_step = \(step)
                where user_id = \(id) and confirmed_at is null and sealed_secret = \(secret.bytes)
                returning user_id, null::bigint as session_id
            ), stored as (
                insert into auth.recovery_codes (user_id, code_hash)
                select user_id, code_hash from confirmed, unnest(\(codes.map(\.hash))) as code_hash
            ), audited as (\(sql: .audit(.totpEnabled, of: "confirmed", origin)))
            select user_id from confirmed
            """
        ).isEmpty
    }

    /// Uses the code of a time step up. Of any number of parallel calls for one step, one is told true.
    func useStep(_ step: Int, ofUser id: Int) async throws -> Bool {
        try await !query(
            """
            update auth.second_factors set last_step = \(step)
            where user_id = \(id) and confirmed_at is not null and last_step < \(step)
            returning user_id
            """
        ).isEmpty
    }

    /// Uses a recovery code up; as `useStep`.
    func useRecoveryCode(_ code: RecoveryCode, ofUser id: Int, _ origin: RequestOrigin) async throws -> Bool {
        try await !query(
            """
            with used as (
                delete from auth.recovery_codes where user_id = \(id) and code_hash = \(code.hash)
                returning user_id, null::bigint as session_id
            ), audited as (\(sql: .audit(.recoveryCodeUsed, of: "used", origin)))
            select user_id from used
            """
        ).isEmpty
    }

    func removeSecondFactor(ofUser id: Int, _ origin: RequestOrigin) async throws {
        try await query(
            """
            with removed as (
                delete from auth.second_factors where user_id = \(id)
                returning user_id, null::bigint as session_id
            ), audited as (\(sql: .audit(.totpDisabled, of: "removed", origin)))
            select user_id from removed
            """)
    }

    /// Seals anew what is sealed under a key that only opens now; at most `limit` secrets.
    /// - Returns: how many could not be opened, because their key is not known here any more.
    func resealSecondFactors(with seal: SecretSeal, limit: Int) async throws -> Int {
        let rows = try await read(
            """
            select user_id, key_id, sealed_secret from auth.second_factors
            where key_id <> \(seal.keyID) order by user_id limit \(limit)
            """)
        var lost = 0
        for row in rows {
            let (user, keyID, bytes) = try row.decode(Int.self, String.self, [UInt8].self)
            guard let secret = seal.open(.init(keyID: keyID, bytes: bytes), ofUser: user) else {
                lost += 1
                continue
            }
            let anew = try seal.seal(secret, ofUser: user)
            try await query(
                """
                update auth.second_factors set key_id = \(anew.keyID), sealed_secret = \(anew.bytes)
                where user_id = \(user) and sealed_secret = \(bytes)
                """)
        }
        return lost
    }
}
