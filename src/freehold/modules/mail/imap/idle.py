"""IDLE: be told at once (RFC 9051 §6.3.13). An idling session has no task; its register entry wakes it."""

from freehold.modules.mail.imap.conversation import Conversation, Reply
from freehold.modules.mail.imap.sync import tell_changes


def start_idle(conversation: Conversation) -> None:
    """Accept IDLE and watch the open folder."""
    conversation.connection.start_idle()
    if conversation.view is not None:
        conversation.context.watchers.watch(conversation.view.folder_id, conversation.peer.wake)


async def tell_news(conversation: Conversation) -> None:
    """Tell what happened while idling."""
    await tell_changes(conversation, expunges=True)


def stop_idle(conversation: Conversation) -> Reply:
    """End watching; what happened since is told before the tagged reply."""
    if conversation.view is not None:
        conversation.context.watchers.unwatch(conversation.view.folder_id, conversation.peer.wake)
    return Reply("Idle completed")
