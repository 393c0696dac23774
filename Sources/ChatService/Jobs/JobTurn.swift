import Shared

/// The place of a job among those that wait for a stage, as SQL: start-time fair queueing over users.
///
/// With M the lowest turn that waits and L the user's own highest: nothing of the user's is there, then M rounded down
/// to an even number, before everybody's second job and behind the first ones that came earlier; else the next odd
/// number above L, and not below M, so that a user who paused has saved nothing up.
enum JobTurn {
    /// - Parameters: may name columns of a table `jobs` or `work` outside.
    ///   - stage: an expression of the stage's name.
    ///   - user: an expression of the user's id.
    static func next(stage: SQL, user: SQL) -> SQL {
        """
        (select case when mine.turn is null then front.turn & ~1::bigint
            else greatest(mine.turn + 1, front.turn) | 1 end
        from (
                select max(own.turn) from chat.jobs own
                where own.user_id = \(sql: user) and own.stage = \(sql: stage)) mine (turn),
            (select coalesce((
                select each.turn from chat.jobs each
                where each.stage = \(sql: stage) and each.lease_until is null and each.run_after <= clock_timestamp()
                order by each.turn, each.id limit 1), 0)) front (turn))
        """
    }
}
