-- The roles that Parley can run under, each with the least it needs. For a superuser, on Parley's database:
--
--     psql -d parley -f deploy/roles.sql                  makes the roles, and lets parley_owner make the schemas
--     DATABASE_URL=… (as parley_owner) AuthService migrate
--     psql -d parley -f deploy/roles.sql                  once more: grants what there is now
--
-- Afterwards only `AuthService migrate` as parley_owner is needed when a version brings migrations: default privileges
-- cover their tables. The services start as auth_service and chat_service; neither may change a
-- table's definition. Passwords are yours to set: alter role auth_service password '…'. May be run again at any time.

do $$
declare
    role_name text;
    -- Whoever has made the schemas: parley_owner, or the one role of an installation from before there were roles.
    owner_name text := coalesce(
        (select nspowner::regrole::text from pg_namespace where nspname = 'auth'), 'parley_owner');
begin
    foreach role_name in array array['parley_owner', 'auth_service', 'chat_service'] loop
        if not exists (select from pg_roles where rolname = role_name) then
            execute format('create role %I login', role_name);
        end if;
        execute format('grant connect on database %I to %I', current_database(), role_name);
    end loop;
    execute format('grant create on database %I to parley_owner', current_database());
    -- Not even temporary tables, for anybody who was not named.
    execute format('revoke all on database %I from public', current_database());
    revoke create on schema public from public;

    if not exists (select from pg_namespace where nspname = 'auth')
        or not exists (select from pg_namespace where nspname = 'chat') then
        raise notice 'there is no schema yet: migrate as parley_owner, then run this file again';
        return;
    end if;

    -- AuthService: its own rows. What has happened it may only add to; the trigger notes revocations as the owner.
    grant usage on schema auth to auth_service;
    grant select, insert, update, delete on all tables in schema auth to auth_service;
    revoke all on auth.audit, auth.revoked_sessions from auth_service;
    grant insert on auth.audit to auth_service;
    grant select, delete on auth.revoked_sessions to auth_service;
    execute format('alter default privileges for role %s in schema auth '
        'grant select, insert, update, delete on tables to auth_service', owner_name);

    -- ChatService: its own rows, and which sessions were revoked. It never sees a user, a hash or a session. That a
    -- conversation's user exists is checked as the owner; so is what goes with an account that is deleted.
    grant usage on schema chat to chat_service;
    grant select, insert, update, delete on all tables in schema chat to chat_service;
    grant usage, select on all sequences in schema chat to chat_service;
    execute format('alter default privileges for role %s in schema chat '
        'grant select, insert, update, delete on tables to chat_service', owner_name);
    execute format('alter default privileges for role %s in schema chat '
        'grant usage, select on sequences to chat_service', owner_name);
    grant usage on schema auth to chat_service;
    revoke all on all tables in schema auth from chat_service;
    grant select on auth.revoked_sessions to chat_service;
end
$$;
