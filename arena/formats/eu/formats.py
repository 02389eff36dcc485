"""Basque formats. The long date is `arena.dates.basque_date`: no format string can say it right for every year."""

DATE_FORMAT = r"Y\k\o F\r\e\n j\a"
SHORT_DATE_FORMAT = "Y-m-d"
TIME_FORMAT = "H:i"
DATETIME_FORMAT = r"Y\k\o F\r\e\n j\a, H:i"
DECIMAL_SEPARATOR = ","
THOUSAND_SEPARATOR = "."
NUMBER_GROUPING = 3
