package wirelane

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"time"

	"golang.org/x/sys/unix"
)

// setQueue sets how many packets wait in a device of the caller's namespace before the kernel drops them. The ioctl for it
// is for the machine's root alone; netlink asks for the right to the namespace (rtnetlink(7)).
func setQueue(name string, packets uint32) error {
	device, err := net.InterfaceByName(name)
	if err != nil {
		return err
	}
	s, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_ROUTE)
	if err != nil {
		return err
	}
	defer unix.Close(s)
	answerWithin := unix.NsecToTimeval(int64(time.Second))
	if err := unix.SetsockoptTimeval(s, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &answerWithin); err != nil {
		return err
	}
	if err := unix.Sendto(s, queueRequest(int32(device.Index), packets), 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return err
	}
	buf := make([]byte, 4096)
	n, _, err := unix.Recvfrom(s, buf, 0)
	if err != nil {
		return err
	}
	return acknowledged(buf[:n])
}

// queueRequest is an RTM_NEWLINK with nothing but the length of the queue.
func queueRequest(index int32, packets uint32) []byte {
	e := binary.NativeEndian
	const length = unix.SizeofNlMsghdr + unix.SizeofIfInfomsg + unix.SizeofRtAttr + 4
	b := e.AppendUint32(nil, length)
	b = e.AppendUint16(b, unix.RTM_NEWLINK)
	b = e.AppendUint16(b, unix.NLM_F_REQUEST|unix.NLM_F_ACK)
	b = append(b, make([]byte, 8)...) // Sequence number and sender: there is one request, and the kernel knows who asks.
	b = append(b, unix.AF_UNSPEC, 0)
	b = e.AppendUint16(b, 0) // Type of the device: as it is.
	b = e.AppendUint32(b, uint32(index))
	b = append(b, make([]byte, 8)...) // Flags, and which of them to change: none.
	b = e.AppendUint16(b, unix.SizeofRtAttr+4)
	b = e.AppendUint16(b, unix.IFLA_TXQLEN)
	return e.AppendUint32(b, packets)
}

// acknowledged returns the error in the kernel's answer.
func acknowledged(b []byte) error {
	if len(b) < unix.SizeofNlMsghdr+4 || binary.NativeEndian.Uint16(b[4:]) != unix.NLMSG_ERROR {
		return errors.New("netlink: no acknowledgement")
	}
	if code := int32(binary.NativeEndian.Uint32(b[unix.SizeofNlMsghdr:])); code != 0 {
		return fmt.Errorf("netlink: %w", unix.Errno(-code))
	}
	return nil
}
