"""The two kintone apps themselves: made, compared and completed by `manage.py kintone_setup`."""
