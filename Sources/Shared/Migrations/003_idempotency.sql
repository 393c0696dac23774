-- What an idempotency key stands for. The answer to a question is derived from the question's rows: a key works while
-- another replica is still at the answer, and nothing of a deleted conversation is kept with a key.

alter table chat.idempotency_keys
    drop column headers,
    add column message_id bigint references chat.messages (id) on delete cascade,
    add column conversation_id bigint references chat.conversations (id) on delete cascade,
    add constraint idempotency_keys_answer check (message_id is not null or (status is not null and body is not null));

-- For the cascades.
create index idempotency_keys_by_message on chat.idempotency_keys (message_id) where message_id is not null;
create index idempotency_keys_by_conversation on chat.idempotency_keys (conversation_id)
    where conversation_id is not null;
