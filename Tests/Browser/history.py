"""Conversations that were had before the page is looked at."""

from model import Reply


def conversation(person, title, question=None):
    token = person.token()
    status, made = person.suite.call("/api/chat/conversations", {"title": title}, token)
    assert status == 201, made
    if question:
        body = {"conversation_id": made["conversation_id"], "message": question}
        status, answer = person.suite.call("/api/chat/chat", body, token)
        assert status == 200, answer
    return made["conversation_id"]


def about_retention(person, model):
    """Has a conversation called "Delivery" about retention of title, and waits until the search finds it."""
    model.script("retention of title", Reply("By retention the goods stay ours until they are paid."))
    number = conversation(person, "Delivery", "Explain retention of title to me")
    token = person.token()
    path = "/api/chat/search?q=retention"
    person.until(lambda: len(person.suite.call(path, token=token)[1].get("hits", [])) == 2, "the index")
    return number


def fill(person, count):
    """Questions and answers straight into the tables: asking 5,000 times is not what is measured."""
    token = person.token()
    _, made = person.suite.call("/api/chat/conversations", {"title": f"Of {count}"}, token)
    number = made["conversation_id"]
    person.suite.sql(f"""
        with question as (
            insert into chat.messages (conversation_id, role, status, content, created_at)
            select {number}, 'user', 'completed', 'Question ' || n, clock_timestamp() - ({count} - n) * interval '1 min'
            from generate_series(1, {count} / 2) n returning id, content, created_at)
        insert into chat.messages (conversation_id, role, status, content, reply_to, created_at)
        select {number}, 'assistant', 'completed', 'Answer to **' || content || '**', id,
            created_at + interval '1 second' from question;
        update chat.conversations set messages_count = {count} where id = {number};
        analyze chat.messages;
    """)
    return number
