-- What ChatService keeps. A question, its answer and the work between them are rows; nothing that must survive lives in
-- memory. ARCHITECTURE.md draws the states of a job.

create schema chat;

create table chat.conversations (
    id bigint generated always as identity primary key,
    user_id bigint not null,
    title text not null,
    business_context text,
    messages_count integer not null default 0,
    created_at timestamptz not null default clock_timestamp(),
    -- Last activity: the order of the list.
    updated_at timestamptz not null default clock_timestamp(),
    constraint conversations_user_exists foreign key (user_id) references auth.users (id) on delete cascade,
    constraint conversations_title_length check (char_length(title) between 1 and 100)
);

create index conversations_by_activity on chat.conversations (user_id, updated_at desc, id desc);

create table chat.messages (
    id bigint generated always as identity primary key,
    conversation_id bigint not null references chat.conversations (id) on delete cascade,
    role text not null,
    status text not null,
    content text not null,
    -- clock_timestamp, not now: a question and its answer written by one transaction must differ.
    created_at timestamptz not null default clock_timestamp(),
    reply_to bigint references chat.messages (id) on delete cascade,
    -- 0: the answer. 1, 2, …: its regenerations.
    generation integer not null default 0,
    file_count smallint not null default 0,
    domain text,
    error_code text,
    error_detail text,
    error_retryable boolean,
    -- The contract's usage object, stored as the text it is answered with.
    usage json,
    constraint messages_role check (role in ('user', 'assistant')),
    constraint messages_status check (status in ('completed', 'processing', 'failed', 'cancelled')),
    constraint messages_answer_has_question check ((role = 'assistant') = (reply_to is not null)),
    constraint messages_error_is_whole check ((error_code is null) = (error_detail is null))
);

create index messages_by_time on chat.messages (conversation_id, created_at, id);

-- The last guard of "one question, one answer": whatever is retried, killed or raced, a second insert fails here.
create unique index messages_one_answer on chat.messages (reply_to, generation) where reply_to is not null;

create table chat.files (
    id bigint generated always as identity primary key,
    message_id bigint not null references chat.messages (id) on delete cascade,
    position smallint not null,
    name text not null,
    size bigint not null,
    content_type text not null,
    document_type text not null,
    sha256 bytea not null,
    pages_done integer not null default 0,
    pages_total integer,
    partial boolean not null default false,
    -- How often this file crashed or hung its recognizing child; the third time ends the message.
    crashes integer not null default 0,
    constraint files_position unique (message_id, position)
) with (fillfactor = 80);

-- Recognised pages, until the text of the whole message is stored: a takeover goes on at the next page.
create table chat.pages (
    file_id bigint not null references chat.files (id) on delete cascade,
    number integer not null,
    -- Null: the page could not be read.
    text text,
    primary key (file_id, number)
);

-- The uploaded bytes, until their text is stored. External: these bytes are compressed already.
create table chat.upload_chunks (
    file_id bigint not null references chat.files (id) on delete cascade,
    number integer not null,
    bytes bytea not null,
    primary key (file_id, number)
);
alter table chat.upload_chunks alter column bytes set storage external;

create table chat.jobs (
    id bigint generated always as identity primary key,
    -- The message whose status tells of this job: the question, or the new answer when an answer is regenerated.
    subject_id bigint not null references chat.messages (id) on delete cascade,
    question_id bigint not null references chat.messages (id) on delete cascade,
    -- The id that the answer will have, taken from the sequence of the messages when the job is made.
    answer_id bigint not null,
    generation integer not null default 0,
    conversation_id bigint not null,
    user_id bigint not null,
    stage text not null,
    -- Counted at the claim; with the id, the fence of every later write.
    attempt integer not null default 0,
    -- Claims that do not count against the job: an orderly release, an absent model.
    spared integer not null default 0,
    run_after timestamptz not null default clock_timestamp(),
    lease_until timestamptz,
    owner uuid,
    created_at timestamptz not null default clock_timestamp(),
    constraint jobs_one_a_subject unique (subject_id),
    constraint jobs_stage check (stage in ('recognize', 'answer'))
) with (
    fillfactor = 70,
    autovacuum_vacuum_scale_factor = 0,
    autovacuum_vacuum_threshold = 1000,
    autovacuum_vacuum_insert_threshold = -1
);

-- Leases and progress are not indexed, so a claim and a heartbeat stay on their page (HOT).
create index jobs_in_order on chat.jobs (stage, run_after, id);
create index jobs_by_user on chat.jobs (user_id);
create index jobs_by_question on chat.jobs (question_id);

create table chat.idempotency_keys (
    user_id bigint not null references auth.users (id) on delete cascade,
    path text not null,
    key text not null,
    fingerprint bytea not null,
    created_at timestamptz not null default clock_timestamp(),
    -- Null until the first answer is known.
    status smallint,
    headers json,
    body bytea,
    primary key (user_id, path, key)
);

create index idempotency_keys_by_age on chat.idempotency_keys (created_at);
