import Shared

/// A message that a search found.
struct SearchHit: Sendable {
    let conversationID: Int
    let messageID: Int
    let createdAt: Timestamp
    let snippet: SearchSnippet
}

/// The search over the words of final messages, in `chat.searchable_messages`.
///
/// One configuration does for both languages: PostgreSQL's `russian` stems Cyrillic words as Russian and Latin words as
/// English (documentation, "Snowball Dictionary"; `\dF+ russian`).
extension PostgresQuerying {
    /// How much of a message is looked at for its words; a snippet is made from less. In characters.
    private static var indexedCharacters: Int { 200_000 }
    private static var snippetCharacters: Int { 30_000 }

    /// A page of the user's messages that match, newest first, after `cursor`.
    ///
    /// - Parameter words: as in a web search: words, "a phrase", `or`, -not. Any text is one; in which there is no word
    ///   to look for, nothing is found.
    func search(_ words: String, userID: Int, after cursor: PageCursor?, limit: Int) async throws -> [SearchHit] {
        try await read(Self.searchStatement(words, userID: userID, after: cursor, limit: limit)).map { row in
            let (conversation, message, time, headline) = try row.decode(
                Int.self, Int.self, Timestamp.self, String.self)
            return SearchHit(
                conversationID: conversation, messageID: message, createdAt: time,
                snippet: SearchSnippet(headline: headline))
        }
    }

    /// What `search` runs. The limit is taken before the snippets are made: they cost more than everything else.
    static func searchStatement(_ words: String, userID: Int, after cursor: PageCursor?, limit: Int) -> SQL {
        let position: SQL =
            if let cursor { "and (created_at, message_id) < (\(cursor.time), \(cursor.id))" } else { "" }
        // Written out where it is compared, not joined: only so does the planner know how rare the words are.
        let asked: SQL = "websearch_to_tsquery('russian', \(words))"
        return """
            with found as (
                select message_id, conversation_id, created_at from chat.searchable_messages
                where words @@ (\(sql: asked) && \(sql: SearchOwner.query(userID))) and numnode(\(sql: asked)) > 0
                    \(sql: position)
                order by created_at desc, message_id desc limit \(limit))
            select f.conversation_id, f.message_id, f.created_at, ts_headline(
                'russian', translate(left(m.content, \(Self.snippetCharacters)::int), \(SearchSnippet.marks), ''),
                \(sql: asked), case when octet_length(m.content) > \(SearchSnippet.wholeBytesMax)
                    then \(SearchSnippet.options) else \(SearchSnippet.wholeOptions) end)
            from found f join chat.messages m on m.id = f.message_id
            order by f.created_at desc, f.message_id desc
            """
    }

    /// Puts the words of up to `limit` queued messages into the index; what several replicas do at once, each does with
    /// messages of its own.
    ///
    /// - Returns: how many entries of the queue were taken.
    func indexQueuedMessages(limit: Int) async throws -> Int {
        try await query(
            """
            with batch as (
                delete from chat.search_queue where ctid = any (array(
                    select ctid from chat.search_queue limit \(limit) for update skip locked))
                returning message_id),
            indexed as (
                insert into chat.searchable_messages (message_id, conversation_id, created_at, words)
                select m.id, m.conversation_id, m.created_at,
                    to_tsvector('russian', left(m.content, \(Self.indexedCharacters)::int))
                        || \(sql: SearchOwner.words("c.user_id"))
                from (select distinct message_id from batch) queued
                join chat.messages m on m.id = queued.message_id
                join chat.conversations c on c.id = m.conversation_id
                -- In this order, so that two replicas never wait for each other in a circle.
                order by m.id
                on conflict (message_id) do update set words = excluded.words)
            select count(*) from batch
            """)[0].decode(Int.self)
    }
}

/// The word that stands for the owner of a message, in the index and in every question to it. No parser makes a word
/// with a blank in it, so no text and no search can pass for one.
private enum SearchOwner {
    static func words(_ column: SQL) -> SQL { "array_to_tsvector(array['owner ' || \(sql: column)])" }

    static func query(_ userID: Int) -> SQL { "('''owner ' || \(userID)::bigint || '''')::tsquery" }
}
