#include "common/io/packet_ref.h"

void packet_ref_room(struct packet_ref *p, size_t size)
{
    int rc = zmq_msg_init_size(&p->message, size);

    ASSERT(rc == 0); /* It fails for want of memory only. */
}

void packet_ref_copy(struct packet_ref *p, struct bytes bytes)
{
    packet_ref_room(p, bytes.size);
    if (bytes.size > 0)
        memcpy(zmq_msg_data(&p->message), bytes.data, bytes.size);
}

static void on_last_released(void *data, void *block)
{
    (void)data;
    block_release(block);
}

void packet_ref_lend(struct packet_ref *p, struct bytes bytes,
                     struct block *block)
{
    if (block == NULL || bytes.size < BLOCK_WORTH) {
        packet_ref_copy(p, bytes);
        return;
    }
    block_hold(block);
    int rc = zmq_msg_init_data(&p->message, (uint8_t *)(uintptr_t)bytes.data,
                               bytes.size, on_last_released, block);
    ASSERT(rc == 0); /* It fails for want of memory only. */
}
