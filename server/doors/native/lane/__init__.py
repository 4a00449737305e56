"""Lane between sockets and messages: the fast way past uvicorn's and engineio's layers."""
