"""Engine: python-engineio and python-socketio, made to withstand strangers.

Nothing else imports the two.
"""
