"""The options of Ray's Datasource and Spark's DataSource, whose tasks are run here."""
from test_options import folder, test_headers, test_no_files, test_options, test_what_is_read  # noqa: F401
