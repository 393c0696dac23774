-- Schema of AuthService: users, their sessions, what limits guessing, what has happened.
-- Rules that a row can hold by itself are constraints here; the code translates them by name and never looks first.

create schema if not exists auth;

create table auth.users (
    id            bigint generated always as identity primary key,
    email         text collate "C" not null,
    password_hash text not null,
    name          text not null,
    created_at    timestamptz not null default clock_timestamp(),
    updated_at    timestamptz not null default clock_timestamp(),

    -- Alone decides who gets an address, however many registrations race for it.
    constraint users_email_is_unique unique (email),
    constraint users_email_is_canonical check (email ~ '^[\x21-\x40\x5b-\x7e]+$' and octet_length(email) <= 254),
    constraint users_name_is_bounded check (char_length(name) between 1 and 255),
    constraint users_password_hash_is_argon2id check (password_hash like '$argon2id$%')
);

-- One signed-in device. `id` is what the API shows; `sid` is what access tokens carry and is not guessable.
-- A refresh token is a selector, the same for the whole life of the session, and a secret, new at every refresh.
-- Only SHA-256 of either is here. The selector finds the session of a token that is no longer the current one.
create table auth.sessions (
    id                  bigint generated always as identity primary key,
    sid                 uuid not null default gen_random_uuid(),
    user_id             bigint not null references auth.users (id) on delete cascade,
    selector_hash       bytea not null,
    refresh_hash        bytea not null,
    previous_hash       bytea,
    rotated_at          timestamptz not null default clock_timestamp(),
    created_at          timestamptz not null default clock_timestamp(),
    last_used_at        timestamptz not null default clock_timestamp(),
    -- The idle limit: moved by every refresh, never past the absolute one.
    expires_at          timestamptz not null,
    absolute_expires_at timestamptz not null,
    -- Until when the newest access token of this session is accepted anywhere, leeway included.
    access_until        timestamptz not null,
    ip                  text not null,
    user_agent          text not null,

    constraint sessions_sid_is_unique unique (sid),
    constraint sessions_selector_is_unique unique (selector_hash),
    constraint sessions_hashes_are_sha256 check (
        octet_length(selector_hash) = 32 and octet_length(refresh_hash) = 32
        and (previous_hash is null or octet_length(previous_hash) = 32)),
    constraint sessions_expire_in_order check (expires_at <= absolute_expires_at),
    constraint sessions_texts_are_bounded check (octet_length(ip) <= 64 and octet_length(user_agent) <= 512)
) with (fillfactor = 80);

create index sessions_by_user on auth.sessions (user_id, last_used_at desc);
create index sessions_by_expiry on auth.sessions (expires_at);

-- Sessions that ended while an access token of theirs may still be alive. Both services keep this table in memory,
-- follow the channel `session_revoked` (payload: the sid), and poll behind it.
create table auth.revoked_sessions (
    sid        uuid primary key,
    expires_at timestamptz not null
);

create index revoked_sessions_by_expiry on auth.revoked_sessions (expires_at);

-- A trigger and not a statement beside each delete, so that no way to end a session, a cascade from its user included,
-- can forget to revoke it. NOTIFY is delivered at the commit: nobody hears of an end that was rolled back.
create function auth.revoke_ended_session() returns trigger language plpgsql
    security definer set search_path = pg_catalog, pg_temp as $$
begin
    if old.access_until > clock_timestamp() then
        insert into auth.revoked_sessions (sid, expires_at) values (old.sid, old.access_until)
            on conflict (sid) do nothing;
        perform pg_notify('session_revoked', old.sid::text);
    end if;
    return null;
end
$$;

create trigger sessions_end_revokes after delete on auth.sessions
    for each row execute function auth.revoke_ended_session();

-- Failures of one account from one address. The account is SHA-256 of the canonical e-mail, known or not, so that the
-- table tells nobody who is registered. Swept when `last_at` is old; its growth is bounded by auth.address_windows.
create table auth.login_attempts (
    account       bytea not null,
    address       text not null,
    failures      integer not null,
    last_at       timestamptz not null,
    blocked_until timestamptz not null,

    primary key (account, address),
    constraint login_attempts_account_is_sha256 check (octet_length(account) = 32),
    constraint login_attempts_count_up check (failures > 0)
) with (fillfactor = 70);

create index login_attempts_by_age on auth.login_attempts (last_at);

-- Counts of one kind of event from one address in a window that starts with its first event.
create table auth.address_windows (
    kind       text not null,
    address    text not null,
    started_at timestamptz not null,
    events     integer not null,

    primary key (kind, address),
    constraint address_windows_kind_is_known check (kind in ('login_failure', 'registration', 'email_taken')),
    constraint address_windows_count_up check (events > 0)
) with (fillfactor = 70);

create index address_windows_by_age on auth.address_windows (started_at);

-- What happened, written in the transaction in which it happened and never changed. No foreign key: the rows outlive
-- the user. No e-mail of a failed login: people type passwords into that field.
create table auth.audit (
    id         bigint generated always as identity primary key,
    at         timestamptz not null default clock_timestamp(),
    event      text not null,
    user_id    bigint,
    session_id bigint,
    ip         text not null,
    request_id text not null,

    constraint audit_event_is_known check (event in (
        'registered', 'login_succeeded', 'login_failed', 'login_throttled', 'password_rehashed',
        'refreshed', 'refresh_reused', 'logged_out', 'session_ended', 'profile_changed',
        'password_changed', 'password_refused', 'account_deleted',
        'totp_enabled', 'totp_disabled', 'password_reset_requested', 'password_reset', 'email_confirmed'))
);

create index audit_by_user on auth.audit (user_id, id) where user_id is not null;
