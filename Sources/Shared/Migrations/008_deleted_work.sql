-- The work on a conversation that is deleted stops at once, wherever it runs, and not at the next heartbeat; pieces of
-- answers go with it.
--
-- A trigger and not a statement beside each delete, so that a conversation that goes with its user counts, too. The
-- holders listen to the channel `chat_job_stopped` (payload: the job's id); NOTIFY is delivered at the commit. The jobs
-- come first: who writes a piece holds its job's row, so none comes after their end, and all before it are seen.
create function chat.stop_deleted_work() returns trigger language plpgsql
    security definer set search_path = pg_catalog, pg_temp as $$
declare
    job bigint;
begin
    for job in delete from chat.jobs where user_id = old.user_id and conversation_id = old.id returning id loop
        perform pg_notify('chat_job_stopped', job::text);
    end loop;
    delete from chat.deltas where conversation_id = old.id;
    return old;
end
$$;

create trigger conversations_end_stops before delete on chat.conversations
    for each row execute function chat.stop_deleted_work();
