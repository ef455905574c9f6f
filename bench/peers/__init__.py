"""The same process on other engines, to be measured beside ours."""
