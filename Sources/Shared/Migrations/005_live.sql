-- What a conversation tells its readers while it happens, and the search.
--
-- Nothing here holds a long lock on a big table: columns with a constant default are added in the catalogue alone, the
-- one index on chat.messages is partial and empty when it is built (one pass over the table, no sort, no write), and
-- the search has tables of its own, which fill in the background.

-- Every change that a reader should hear of takes the next number of its conversation. The number is taken by updating
-- the conversation's row, whose lock is held until the commit: so numbers become visible in their order, without gaps,
-- and "everything after number n" misses nothing. A sequence would not do: its order is not that of the commits.
alter table chat.conversations
    add column changes bigint not null default 0,
    -- The number of the last change of the conversation itself: its title or its business context.
    add column own_change bigint not null default 0;

-- The number of the message's last change; 0: before this migration.
alter table chat.messages add column change bigint not null default 0;

create index messages_by_change on chat.messages (conversation_id, change) where change > 0;

-- The text of answers on their way, in pieces, until the answer is stored. Written without waiting for the disk: what a
-- crash of the server loses comes again with the answer.
--
-- No foreign key: its check would wait for a conversation that is being deleted, and that for the job that the writer
-- has locked. Pieces of jobs that are gone mean nothing to anybody, and are swept.
create table chat.deltas (
    conversation_id bigint not null,
    -- The id that the answer will have.
    message_id bigint not null,
    attempt integer not null,
    -- Where the piece begins in the answer, in UTF-16 code units.
    position integer not null,
    question_id bigint not null,
    job_id bigint not null,
    text text not null,
    primary key (conversation_id, message_id, attempt, position)
) with (
    autovacuum_vacuum_scale_factor = 0,
    autovacuum_vacuum_threshold = 2000,
    autovacuum_vacuum_insert_threshold = -1
);

-- Messages whose words are still to be put into the index of the search. No key: a message may stand here twice.
create table chat.search_queue (
    message_id bigint not null
) with (
    autovacuum_vacuum_scale_factor = 0,
    autovacuum_vacuum_threshold = 2000,
    autovacuum_vacuum_insert_threshold = -1
);

-- The words of final messages. Each row's words have one more, the owner's, so that the index itself keeps to the
-- messages of one user. Apart from chat.messages, because a write there should not pay for the parsing.
create table chat.searchable_messages (
    message_id bigint primary key references chat.messages (id) on delete cascade,
    conversation_id bigint not null,
    created_at timestamptz not null,
    words tsvector not null
);

create index searchable_messages_words on chat.searchable_messages using gin (words);

insert into chat.search_queue select id from chat.messages where status <> 'processing';
