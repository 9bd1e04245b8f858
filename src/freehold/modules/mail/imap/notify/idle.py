"""IDLE and NOTIFY between commands: be told at once (RFC 9051 §6.3.13, RFC 5465 §4).

A session that waits for news has no task; its entry in the register wakes it.
"""

from freehold.modules.mail.imap.conversation import Conversation, Reply


def start_idle(conversation: Conversation) -> None:
    """Accept IDLE and watch the open folder."""
    conversation.connection.start_idle()
    if conversation.notify is not None:
        conversation.notify.look_again()
    if conversation.notify is None and conversation.view is not None:
        conversation.context.watchers.watch(conversation.view.folder_id, conversation.hear)


def stop_idle(conversation: Conversation) -> Reply:
    """End watching; what happened since is told before the tagged reply."""
    if conversation.view is not None:
        conversation.context.watchers.unwatch(conversation.view.folder_id, conversation.hear)
    return Reply("Idle completed")


def attend(conversation: Conversation) -> None:
    """Have a session with NOTIFY watch the folder that is open now, and no other."""
    registration = conversation.notify
    view = conversation.view
    wants = registration is not None and registration.tells_messages
    folder_id = view.folder_id if view is not None and wants else 0
    if registration is None or folder_id == registration.watched_id:
        return
    watchers = conversation.context.watchers
    watchers.unwatch(registration.watched_id, registration.hear_selected)
    registration.watched_id = folder_id
    if folder_id:
        watchers.watch(folder_id, registration.hear_selected)
        registration.has_selected_news = True  # what fell between reading the folder and watching it


def end_notify(conversation: Conversation) -> None:
    """Forget what was asked for with NOTIFY."""
    registration, conversation.notify = conversation.notify, None
    if registration is not None:
        watchers = conversation.context.watchers
        watchers.unwatch(registration.watched_id, registration.hear_selected)
        watchers.unfollow(conversation.mailbox_id, registration.hear)
        for owner_id in registration.owners:
            watchers.unfollow(owner_id, registration.hear)
