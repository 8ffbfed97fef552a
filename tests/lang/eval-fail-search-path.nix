<no-such-entry/of-the-path>
