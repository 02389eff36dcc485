"""Django's PostgreSQL, whose pool forgets all connections that a restarted server left behind as soon as it meets one."""
