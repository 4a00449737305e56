"""What a document says, read from its rich text. Only the sandbox reads documents."""
