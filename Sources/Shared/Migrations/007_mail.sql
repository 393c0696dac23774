-- Mails to users: what is to be sent, and the tokens in what was sent.

alter table auth.users add column email_confirmed_at timestamptz;

-- A mail that is to be sent, until it is. For any address that was typed: whether somebody is registered with it is
-- looked up when it is sent, so that asking takes the same way and the same time for all. No token is here: each try
-- makes its own, so that none is ever stored but as a hash. Claimed as chat.jobs are: a lease, and a fence by attempt.
create table auth.mails (
    id          bigint generated always as identity primary key,
    purpose     text not null,
    email       text collate "C" not null,
    ip          text not null,
    request_id  text not null,
    created_at  timestamptz not null default clock_timestamp(),
    run_after   timestamptz not null default clock_timestamp(),
    attempt     integer not null default 0,
    lease_until timestamptz,

    constraint mails_purpose_is_known check (purpose in ('password_reset', 'email_confirmation')),
    constraint mails_email_is_bounded check (octet_length(email) <= 254)
) with (fillfactor = 70);

create index mails_by_time on auth.mails (run_after, id);

-- SHA-256 of the token in a mail. Using one deletes all of its user and purpose.
create table auth.mail_tokens (
    token_hash bytea primary key,
    purpose    text not null,
    user_id    bigint not null references auth.users (id) on delete cascade,
    expires_at timestamptz not null,

    constraint mail_tokens_purpose_is_known check (purpose in ('password_reset', 'email_confirmation')),
    constraint mail_tokens_are_sha256 check (octet_length(token_hash) = 32)
);

create index mail_tokens_by_user on auth.mail_tokens (user_id, purpose);
create index mail_tokens_by_expiry on auth.mail_tokens (expires_at);

alter table auth.address_windows drop constraint address_windows_kind_is_known;
alter table auth.address_windows add constraint address_windows_kind_is_known check (kind in (
    'login_failure', 'registration', 'email_taken', 'mail_request', 'mail_to_account'));
