package pgtest

import "syscall"

const (
	tmpfsMagic = 0x01021994
	// memoryNeeded is how much room a memory file system must have: containers often get 64 MB.
	memoryNeeded = 2 << 30
)

// memoryFolder returns a folder in memory with room for tests, or "". Making a database there took 8 ms where a disk
// took 90.
func memoryFolder() string {
	const dir = "/dev/shm"
	var fs syscall.Statfs_t
	if err := syscall.Statfs(dir, &fs); err != nil || int64(fs.Type) != tmpfsMagic { //nolint:unconvert // int32 or uint32 elsewhere
		return ""
	}
	if fs.Bavail*uint64(fs.Bsize) < memoryNeeded {
		return ""
	}
	return dir
}
