-- Fairness: whose job is next. A job gets its turn when it begins to wait for a stage; the lowest is claimed first. The
-- first job of a user joins the front (an even turn), every further one stands behind the user's own last (an odd one),
-- so a user with a hundred files takes part in each round like a user with one. A plain question is worked on where it
-- was accepted and waits only when its replica died: it keeps 0.
alter table chat.jobs add column turn bigint not null default 0;

-- Replaces jobs_in_order. Without run_after in an index, putting a job off stays on its page (HOT), too.
create index jobs_by_turn on chat.jobs (stage, turn, id);
drop index chat.jobs_in_order;
