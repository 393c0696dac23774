-- The optional second factor of an account: a TOTP secret (RFC 6238) and the codes for when the device is lost.

create table auth.second_factors (
    user_id       bigint primary key references auth.users (id) on delete cascade,
    -- AES-256-GCM under a key that only the service's settings have: a copy of the database is no second factor.
    sealed_secret bytea not null,
    -- Names that key, so that a rotation can tell what is still to be sealed anew.
    key_id        text not null,
    -- Null until its owner has shown a code: nothing is asked for before.
    confirmed_at  timestamptz,
    -- The newest time step whose code was used. A code is taken by moving it, in one statement: it works once,
    -- whichever replica it is shown to.
    last_step     bigint not null default 0,
    created_at    timestamptz not null default clock_timestamp(),

    constraint second_factors_key_is_named check (octet_length(key_id) between 1 and 32)
);

create index second_factors_by_key on auth.second_factors (key_id);

-- SHA-256 of 80 random bits each. Using one deletes its row.
create table auth.recovery_codes (
    user_id   bigint not null references auth.second_factors (user_id) on delete cascade,
    code_hash bytea not null,

    primary key (user_id, code_hash),
    constraint recovery_codes_are_sha256 check (octet_length(code_hash) = 32)
);

alter table auth.audit drop constraint audit_event_is_known;
alter table auth.audit add constraint audit_event_is_known check (event in (
    'registered', 'login_succeeded', 'login_failed', 'login_throttled', 'password_rehashed',
    'refreshed', 'refresh_reused', 'logged_out', 'session_ended', 'profile_changed',
    'password_changed', 'password_refused', 'account_deleted',
    'totp_enabled', 'totp_disabled', 'totp_refused', 'recovery_code_used',
    'password_reset_requested', 'password_reset', 'email_confirmation_requested', 'email_confirmed'));
