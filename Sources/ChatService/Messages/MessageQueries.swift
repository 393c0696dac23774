import Shared

/// The columns that `MessageJSON` writes, in its order; `files`, `progress` and `error` come as finished JSON, and cost
/// nothing for the many messages that have none. For a message called `m`.
let messageColumns: SQL = """
    m.id, m.created_at, m.role, m.status, m.content, m.reply_to,
    case when m.file_count > 0 then (
        select json_agg(json_build_object('id', f.id, 'name', f.name, 'size', f.size,
            'content_type', f.content_type, 'pages_done', f.pages_done, 'pages_total', f.pages_total,
            'partial', f.partial) order by f.position)::text
        from chat.files f where f.message_id = m.id) end,
    case when m.status = 'processing' then (
        select json_build_object(
            'stage', case when j.lease_until is null or j.lease_until < clock_timestamp() then 'queued'
                when j.stage = 'recognize' then 'recognizing' else 'answering' end,
            'pages_done', coalesce(f.pages_done, 0),
            'pages_total', f.pages_total,
            'attempt', greatest(j.attempt - j.spared, 0))::text
        from chat.jobs j left join lateral (
            select sum(pages_done) as pages_done,
                case when count(*) = count(pages_total) then sum(pages_total) end as pages_total
            from chat.files where message_id = j.question_id having count(*) > 0) f on true
        where j.subject_id = m.id) end,
    case when m.error_code is not null then json_build_object(
        'code', m.error_code, 'detail', m.error_detail, 'retryable', m.error_retryable)::text end,
    m.usage::text
    """

/// A page of the history.
struct MessagePage: Sendable {
    /// For `MessageJSON`.
    let rows: Slice<PostgresRows>
    /// After the last message, when there are further ones.
    let next: PageCursor?

    /// - Parameter found: at least one row, and one more than belongs to the page if there are further messages.
    fileprivate init(_ found: PostgresRows, limit: Int, bytesMax: Int) {
        var (count, bytes) = (0, 0)
        while count < min(found.count, limit), bytes < bytesMax, found[count].messagePosition != nil {
            bytes += found[count].contentBytes
            count += 1
        }
        rows = found.prefix(count)
        next = 0 < count && count < found.count ? found[count - 1].messagePosition : nil
    }
}

/// The order of a page of messages.
enum PageOrder: String, Sendable {
    case ascending = "asc"
    case descending = "desc"
}

/// What the history of a conversation is read with. Every statement names the owner.
extension PostgresQuerying {
    /// A page ends after the message with which its contents reach this many bytes: a text file may have 20 MiB.
    private static var pageBytesMax: Int { 4 << 20 }

    /// A page of messages by (`created_at`, `id`) after `cursor`, of `limit` or fewer; the same cost at any depth.
    ///
    /// - Returns: nil when the user has no such conversation.
    func messages(
        inConversation id: Int, userID: Int, after cursor: PageCursor?, order: PageOrder, limit: Int
    ) async throws -> MessagePage? {
        let position: SQL =
            switch (cursor, order) {
            case (nil, _): ""
            case (let cursor?, .ascending): "and (created_at, id) > (\(cursor.time), \(cursor.id))"
            case (let cursor?, .descending): "and (created_at, id) < (\(cursor.time), \(cursor.id))"
            }
        let direction: SQL = "\(unsafeRaw: order.rawValue)"
        let sequence: SQL = "order by created_at \(sql: direction), id \(sql: direction)"
        let page: SQL = """
            (select created_at, id, octet_length(content) as bytes from chat.messages
            where conversation_id = c.id \(sql: position) \(sql: sequence) limit \(limit + 1))
            """
        // One statement for the ownership and the page: an outer join gives one row of nulls for an empty conversation
        // and no row for one that is not the user's. One row more than the page has tells whether there are further
        // ones. Sizes are added up one after the other only for a page that is too large: a window would cost every
        // page a third of its time.
        let rows = try await read(
            """
            select \(sql: messageColumns)
            from chat.conversations c left join lateral (
                select * from chat.messages
                where conversation_id = c.id \(sql: position) \(sql: sequence)
                limit (select case when sum(bytes) < \(Self.pageBytesMax) then \(limit + 1) else (
                    select 1 + count(*) from (
                        select sum(bytes) over (\(sql: sequence)) - bytes as before from \(sql: page) sizes) sums
                    where before < \(Self.pageBytesMax)) end from \(sql: page) sizes)) m on true
            where c.id = \(id) and c.user_id = \(userID)
            order by m.created_at \(sql: direction), m.id \(sql: direction)
            """)
        return rows.isEmpty ? nil : MessagePage(rows, limit: limit, bytesMax: Self.pageBytesMax)
    }

    /// One message of the user as a row for `MessageJSON`.
    func message(_ id: Int, userID: Int) async throws -> PostgresRow? {
        try await read(
            """
            select \(sql: messageColumns)
            from chat.messages m join chat.conversations c on c.id = m.conversation_id
            where m.id = \(id) and c.user_id = \(userID)
            """
        ).first
    }
}
