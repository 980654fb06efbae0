"""What is told outside: notices in Slack, comments on records; through an outbox, so that none is lost."""
