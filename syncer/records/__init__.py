"""kintone's records: the shape of the apps, their values both ways, and how often which of them are read."""
