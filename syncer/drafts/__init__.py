"""What the portal writes into kintone: drafts first, carried by a task, merged, and never lost."""
